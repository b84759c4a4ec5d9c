import type { RequestUpdate } from '../../../codec/moqt/control/request-update.ts';
import type { SessionContext } from '../context.ts';

/** What every REQUEST_UPDATE does to the session, whatever becomes of it: it uses up its id, and registers its tokens. */
export function takeUpdate(context: SessionContext, { requestId, parameters }: RequestUpdate): void {
  context.requestIds.receive(requestId);
  context.authTokens.ofRequest(parameters.authorizationTokens);
}

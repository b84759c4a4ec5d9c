import type { RequestUpdate } from '../../../codec/moqt/control/request-update.ts';
import type { Message } from '../../../codec/moqt/message.ts';
import { each } from '../../../transport/deliver.ts';
import { StreamResetError } from '../../../transport/stream-reset-error.ts';
import type { SessionContext } from '../context.ts';
import type { MessageStream } from '../message-stream.ts';

export type RequestEvents = {
  message(message: Message): void;
  /** The peer cancelled: RESET_STREAM or STOP_SENDING. May be called twice. */
  cancelled(): void;
  /** FIN: ends the request too (draft-18 11.4.1), the peer having said all it wanted. */
  finished(): void;
  /** STOP_SENDING alone, where that does not cancel. */
  stopped?(): void;
};

/** Hears the rest of a request stream until it ends. */
export function followRequest(context: SessionContext, stream: MessageStream, on: RequestEvents): void {
  const stopped = (): void => context.guard(() => (on.stopped ?? on.cancelled)());
  const end = (error: unknown): void => {
    if (error instanceof StreamResetError) context.guard(() => on.cancelled());
    else if (error === undefined) context.guard(() => on.finished());
    else context.fail(error);
  };
  if (stream.deliverTo === undefined) {
    void stream.stopped.then((code) => {
      if (code !== null) stopped();
    });
    void each(() => stream.next(), on.message).then(end, end);
  } else stream.deliverTo({ item: on.message, stopped, end });
}

/** What every REQUEST_UPDATE does to the session, whatever becomes of it: it uses up its id, and registers its tokens. */
export function takeUpdate(context: SessionContext, { requestId, parameters }: RequestUpdate): void {
  context.requestIds.receive(requestId);
  context.authTokens.ofRequest(parameters.authorizationTokens);
}

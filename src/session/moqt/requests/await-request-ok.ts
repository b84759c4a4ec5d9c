import { requestErrorCodes, streamResetCodes } from '../../../codec/moqt/codes.ts';
import type { RequestOk } from '../../../codec/moqt/control/request-ok.ts';
import { MoqtError, protocolViolation } from '../../../codec/moqt/moqt-error.ts';
import { RequestError } from '../../request-error.ts';
import type { SessionContext } from '../context.ts';
import type { MessageStream } from '../message-stream.ts';

/**
 * The answer to a request that is granted with REQUEST_OK (draft-18 10.5). Track properties may be there for TRACK_STATUS only.
 * Throws RequestError, StreamsError, or after having closed the session MoqtError.
 */
export async function awaitRequestOk(
  context: SessionContext,
  stream: MessageStream,
  request: string,
  options: { trackProperties?: boolean } = {},
): Promise<RequestOk> {
  try {
    const answer = await stream.next();
    if (answer?.type === 'requestError') {
      stream.finish();
      throw new RequestError(answer.code, answer.reason, answer.retryMs);
    }
    if (answer === null) {
      stream.cancel(streamResetCodes.cancelled);
      throw new RequestError(requestErrorCodes.internalError, 'the peer ended the request without an answer');
    }
    if (answer.type !== 'requestOk') throw protocolViolation(`${answer.type} in answer to ${request}`);
    if (options.trackProperties !== true && answer.trackProperties.length > 0)
      throw protocolViolation(`track properties in ${request}_OK`);
    return answer;
  } catch (error) {
    if (error instanceof MoqtError) context.fail(error);
    throw error;
  }
}

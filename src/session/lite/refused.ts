import { requestErrorCodes } from '../../codec/moqt/codes.ts';
import { requestCodeOf } from '../../codec/moqt/lite/codes.ts';
import { StreamResetError } from '../../transport/stream-reset-error.ts';
import { RequestError } from '../request-error.ts';

/** moq-lite refuses by reset: the error of a request whose stream failed with `error`. What is no reset stays as it is. */
export function refusalError(error: unknown, what: string): unknown {
  if (!(error instanceof StreamResetError)) return error;
  return new RequestError(requestCodeOf(error.resetCode), `${what} refused`);
}

/** The peer ended its side and had not answered. */
export function unanswered(what: string): RequestError {
  return new RequestError(requestErrorCodes.internalError, `${what}: the peer ended the stream without an answer`);
}

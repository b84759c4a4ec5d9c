import { requestErrorCodes } from '../codec/moqt/codes.ts';
import { StreamsError } from '../core/errors.ts';
import { RequestError } from '../session/request-error.ts';
import type { IncomingFetch } from '../session/types.ts';

/** A value that does not fit on the wire of a session, or that its version has no words for: nobody's fault, and nothing was sent. */
export function cannotBeSaid(error: unknown): error is StreamsError {
  if (!(error instanceof StreamsError) || error instanceof RequestError) return false;
  return error.code === 'INVALID_ARGUMENT' || error.code === 'UNSUPPORTED';
}

/** A request whose answer does not fit on the wire is refused. */
export async function sayable(request: IncomingFetch, serving: Promise<void>): Promise<void> {
  try {
    await serving;
  } catch (error) {
    if (!cannotBeSaid(error)) throw error;
    request.reject(requestErrorCodes.internalError, error.message);
  }
}

import { requestErrorCodes, sessionCodes } from '../../codec/moqt/codes.ts';
import { StreamsError } from '../../core/errors.ts';
import { RequestError } from '../../session/request-error.ts';
import type { TransportClose } from '../../transport/transport.ts';
import { refusalWords } from '../connect/refusal-words.ts';

const hint = 'streams playback mint <input> makes a new one';

/**
 * The error of a token that was refused, in words a viewer understands: TOKEN_EXPIRED or TOKEN_INVALID. `expiresAt` is the
 * token's own claim (ms since the Unix epoch): the session code for both is UNAUTHORIZED, and nobody decides by prose.
 */
export function tokenRefused(reason: string, expired: boolean, expiresAt: number | undefined): StreamsError {
  const why = refusalWords(reason);
  if (expired || (expiresAt !== undefined && expiresAt <= Date.now()))
    return new StreamsError('TOKEN_EXPIRED', 'the playback token has expired', { hint });
  return new StreamsError('TOKEN_INVALID', `the relay refused the playback token${why === '' ? '' : `: ${why}`}`, {
    hint,
  });
}

/** undefined when the session ended for another reason than its token. */
export function refusalOfClose(close: TransportClose, expiresAt: number | undefined): StreamsError | undefined {
  if (close.by !== 'peer') return undefined;
  switch (close.code) {
    case sessionCodes.unauthorized:
    case sessionCodes.malformedAuthToken:
      return tokenRefused(close.reason, false, expiresAt);
    case sessionCodes.expiredAuthToken:
      return tokenRefused(close.reason, true, expiresAt);
    default:
      return undefined;
  }
}

/** undefined when the request failed for another reason than its token. */
export function refusalOfRequest(error: unknown, expiresAt: number | undefined): StreamsError | undefined {
  if (!(error instanceof RequestError)) return undefined;
  switch (error.requestCode) {
    case requestErrorCodes.unauthorized:
    case requestErrorCodes.malformedAuthToken:
      // A token that is not valid yet comes with a time to try again.
      return error.retryMs ? undefined : tokenRefused(error.reason, false, expiresAt);
    case requestErrorCodes.expiredAuthToken:
      return tokenRefused(error.reason, true, expiresAt);
    default:
      return undefined;
  }
}

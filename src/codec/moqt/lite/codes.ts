import { requestErrorCodes, streamResetCodes } from '../codes.ts';

/**
 * moq-lite refuses with a reset of the stream and names no codes. Released peers use draft-18's for streams and sessions, and
 * these of their own.
 */
export const liteResetCodes = { controlTimeout: 0x31, notFound: 0x33, unroutable: 0x36 } as const;

/** What a refusal is said with. */
export function resetCodeOf(requestCode: number): number {
  switch (requestCode) {
    case requestErrorCodes.doesNotExist:
      return liteResetCodes.notFound;
    case requestErrorCodes.timeout:
      return liteResetCodes.controlTimeout;
    case requestErrorCodes.goingAway:
      return streamResetCodes.goingAway;
    case requestErrorCodes.excessiveLoad:
      return streamResetCodes.excessiveLoad;
    case requestErrorCodes.expiredAuthToken:
      return streamResetCodes.expiredAuthToken;
    case requestErrorCodes.malformedTrack:
      return streamResetCodes.malformedTrack;
    default:
      return streamResetCodes.internalError;
  }
}

/** Why a peer refused, as far as it said so. */
export function requestCodeOf(resetCode: number): number {
  switch (resetCode) {
    case liteResetCodes.notFound:
    case liteResetCodes.unroutable:
      return requestErrorCodes.doesNotExist;
    case liteResetCodes.controlTimeout:
      return requestErrorCodes.timeout;
    case streamResetCodes.goingAway:
      return requestErrorCodes.goingAway;
    case streamResetCodes.excessiveLoad:
      return requestErrorCodes.excessiveLoad;
    case streamResetCodes.expiredAuthToken:
      return requestErrorCodes.expiredAuthToken;
    case streamResetCodes.malformedTrack:
      return requestErrorCodes.malformedTrack;
    default:
      return requestErrorCodes.internalError;
  }
}

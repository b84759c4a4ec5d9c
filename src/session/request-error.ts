import { codeName, requestErrorCodes } from '../codec/moqt/codes.ts';
import type { ErrorCode } from '../core/errors.ts';
import { StreamsError } from '../core/errors.ts';

/** The peer refused a request (REQUEST_ERROR). */
export class RequestError extends StreamsError {
  /** One of codes.requestError, or one we do not know. */
  readonly requestCode: number;
  readonly reason: string;
  /** When to try again, in ms; undefined: do not. */
  readonly retryMs: number | undefined;

  constructor(requestCode: number, reason: string, retryMs?: number) {
    const name = codeName(requestErrorCodes, requestCode);
    super(errorCode(requestCode), reason === '' ? `request refused: ${name}` : `request refused: ${name}: ${reason}`);
    this.name = 'RequestError';
    this.requestCode = requestCode;
    this.reason = reason;
    this.retryMs = retryMs;
  }
}

function errorCode(requestCode: number): ErrorCode {
  switch (requestCode) {
    case requestErrorCodes.unauthorized:
    case requestErrorCodes.malformedAuthToken:
      return 'UNAUTHORIZED';
    case requestErrorCodes.expiredAuthToken:
      return 'TOKEN_EXPIRED';
    case requestErrorCodes.timeout:
      return 'TIMEOUT';
    case requestErrorCodes.doesNotExist:
      return 'NOT_FOUND';
    case requestErrorCodes.duplicateSubscription:
    case requestErrorCodes.prefixOverlap:
      return 'CONFLICT';
    case requestErrorCodes.excessiveLoad:
      return 'RATE_LIMITED';
    case requestErrorCodes.invalidRange:
      return 'INVALID_ARGUMENT';
    case requestErrorCodes.notSupported:
    case requestErrorCodes.unsupportedExtension:
      return 'UNSUPPORTED';
    default:
      return 'INTERNAL';
  }
}

import { type ErrorCode, StreamsError } from './errors.ts';

/**
 * The HTTP status of each error code (RFC 9110 section 15), for every HTTP server of the project. Where a server means another
 * one, it passes its `exceptions` to `httpStatus`, or throws an HttpError.
 */
export const httpStatuses: Readonly<Record<ErrorCode, number>> = {
  USAGE: 400,
  INVALID_ARGUMENT: 400,
  MALFORMED: 400,
  UNAUTHORIZED: 401,
  TOKEN_EXPIRED: 401,
  TOKEN_INVALID: 401,
  FORBIDDEN: 403,
  QUOTA_EXCEEDED: 403,
  NOT_FOUND: 404,
  STREAM_OFF_AIR: 404,
  CONFLICT: 409,
  LIMIT_EXCEEDED: 413,
  // The request is understood, and what it brings or asks for cannot be processed.
  UNSUPPORTED: 422,
  NO_MEDIA: 422,
  RATE_LIMITED: 429,
  CONFIG_INVALID: 500,
  PORT_IN_USE: 500,
  QUIC_UNAVAILABLE: 500,
  FFMPEG_MISSING: 500,
  PROTOCOL_VIOLATION: 500,
  GROUP_LAGGED: 500,
  CHILD_DIED: 500,
  INTERNAL: 500,
  // What the server itself asked has failed it.
  RELAY_UNREACHABLE: 502,
  STREAM_RESET: 502,
  TRANSPORT_CLOSED: 502,
  // The same request may succeed in a moment.
  API_UNREACHABLE: 503,
  STORE_UNAVAILABLE: 503,
  INTERRUPTED: 503,
  TIMEOUT: 503,
  // Insufficient Storage (RFC 4918 section 11.5): the same request may succeed when there is room.
  DISK_FULL: 507,
};

/** An error whose code does not tell its HTTP status: 405 for a method, 415 for a content type, 408 for a late body. */
export class HttpError extends StreamsError {
  readonly httpStatus: number;

  constructor(
    httpStatus: number,
    code: ErrorCode,
    message: string,
    options: ConstructorParameters<typeof StreamsError>[2] = {},
  ) {
    super(code, message, options);
    this.httpStatus = httpStatus;
  }
}

/** The status of an HttpError is its own; otherwise `exceptions` come before the table. */
export function httpStatus(
  error: { readonly code: ErrorCode; readonly httpStatus?: number },
  exceptions: Partial<Record<ErrorCode, number>> = {},
): number {
  return error.httpStatus ?? exceptions[error.code] ?? httpStatuses[error.code];
}

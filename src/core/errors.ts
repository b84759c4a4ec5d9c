/**
 * Every error a user can meet has a code from this closed set. Scripts hold on to the codes; never reuse one.
 * Foreign errors are translated once, at the boundary where they enter.
 */
export const errorCodes = [
  'USAGE', // wrong command, flag or argument
  'CONFIG_INVALID',
  'INVALID_ARGUMENT', // a value an operation refuses
  'UNAUTHORIZED', // no key, wrong key
  'FORBIDDEN', // right key, missing scope
  'TOKEN_EXPIRED',
  'TOKEN_INVALID',
  'NOT_FOUND',
  'CONFLICT',
  'RATE_LIMITED',
  'API_UNREACHABLE',
  'STORE_UNAVAILABLE', // the database is away for a moment: try again
  'RELAY_UNREACHABLE',
  'PORT_IN_USE',
  'QUIC_UNAVAILABLE', // native module missing on this platform
  'FFMPEG_MISSING',
  'TRANSPORT_CLOSED',
  'STREAM_RESET',
  'PROTOCOL_VIOLATION', // the peer broke a session rule: the session is closed
  'MALFORMED', // bytes that are not what they claim to be
  'LIMIT_EXCEEDED', // a size, count or rate bound
  'QUOTA_EXCEEDED', // an org has as many as it may have
  'DISK_FULL', // no room on the disk of the media engine
  'GROUP_LAGGED', // objects were dropped because the reader was slow
  'STREAM_OFF_AIR', // the input is not live
  'NO_MEDIA',
  'UNSUPPORTED',
  'TIMEOUT',
  'INTERRUPTED',
  'CHILD_DIED',
  'INTERNAL',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/** The one error class of the project. `message` says what went wrong, `hint` what to do next; neither holds a secret. */
export class StreamsError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'StreamsError';
    this.code = code;
    this.hint = options.hint;
  }
}

/** Any thrown value as a StreamsError; what is not one already becomes INTERNAL. */
export function toStreamsError(error: unknown): StreamsError {
  if (error instanceof StreamsError) return error;
  return new StreamsError('INTERNAL', error instanceof Error ? error.message : String(error), { cause: error });
}

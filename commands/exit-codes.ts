import type { ErrorCode } from '../src/core/errors.ts';

/** What each exit code of the program means; `streams help exit-codes` prints it. */
export const exitCodes = {
  0: 'done',
  1: 'failed',
  2: 'usage: a wrong command, option, argument or configuration',
  3: 'not authorised: key or token missing, wrong, expired or without the scope',
  4: 'network: the API or the relay could not be reached, or the connection was lost',
  5: 'not found, or in conflict with what is there',
  124: 'timeout',
  130: 'interrupted',
  143: 'terminated by SIGTERM',
} as const;

export type ExitCode = keyof typeof exitCodes;

/** An interruption that SIGTERM was: 128 + 15, as shells and supervisors expect. */
export const terminatedCode = 143 satisfies ExitCode;

const byErrorCode: Record<ErrorCode, ExitCode> = {
  USAGE: 2,
  CONFIG_INVALID: 2,
  INVALID_ARGUMENT: 2,
  UNAUTHORIZED: 3,
  FORBIDDEN: 3,
  TOKEN_EXPIRED: 3,
  TOKEN_INVALID: 3,
  NOT_FOUND: 5,
  CONFLICT: 5,
  RATE_LIMITED: 1,
  API_UNREACHABLE: 4,
  STORE_UNAVAILABLE: 4,
  RELAY_UNREACHABLE: 4,
  PORT_IN_USE: 5,
  QUIC_UNAVAILABLE: 1,
  FFMPEG_MISSING: 1,
  TRANSPORT_CLOSED: 4,
  STREAM_RESET: 4,
  PROTOCOL_VIOLATION: 1,
  MALFORMED: 1,
  LIMIT_EXCEEDED: 1,
  QUOTA_EXCEEDED: 1,
  DISK_FULL: 1,
  GROUP_LAGGED: 1,
  STREAM_OFF_AIR: 1,
  NO_MEDIA: 1,
  UNSUPPORTED: 1,
  TIMEOUT: 124,
  INTERRUPTED: 130,
  CHILD_DIED: 1,
  INTERNAL: 1,
};

export function exitCodeOf(code: ErrorCode): ExitCode {
  return byErrorCode[code];
}

/** The error codes that end with `exit`, for the help page. */
export function errorCodesOf(exit: ExitCode): ErrorCode[] {
  return (Object.keys(byErrorCode) as ErrorCode[]).filter((code) => byErrorCode[code] === exit);
}

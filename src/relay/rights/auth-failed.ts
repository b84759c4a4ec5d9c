import { type ErrorCode, StreamsError } from '../../core/errors.ts';

/** A reason as the relay writes it on the wire where it refuses a session or a request for its rights: players take it as final. */
export function authFailed(reason: string): string {
  return `auth_failed: ${reason}`;
}

/** The error says that the rights do not suffice. Any other error says that nobody could decide, or that the path is wrong. */
export function isAboutRights(code: ErrorCode): boolean {
  return code === 'UNAUTHORIZED' || code === 'TOKEN_INVALID' || code === 'TOKEN_EXPIRED';
}

/** The same error with the message that goes on the wire. */
export function asAuthFailed({ code, message, hint, cause }: StreamsError): StreamsError {
  return new StreamsError(code, authFailed(message), { ...(hint !== undefined && { hint }), cause });
}

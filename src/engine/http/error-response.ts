import type { ErrorCode, StreamsError } from '../../core/errors.ts';

const statuses: Partial<Record<ErrorCode, number>> = {
  INVALID_ARGUMENT: 400,
  MALFORMED: 400,
  UNAUTHORIZED: 401,
  TOKEN_EXPIRED: 401,
  // Read as a token, but it does not open this.
  TOKEN_INVALID: 403,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  UNSUPPORTED: 405,
  CONFLICT: 409,
  LIMIT_EXCEEDED: 413,
  RATE_LIMITED: 429,
  STREAM_OFF_AIR: 404,
  TIMEOUT: 503,
  API_UNREACHABLE: 503,
};

/** `{error:{code,message,hint?}}`, with the status of its code (500 where it has none), never cached. */
export function errorResponse({ code, message, hint }: StreamsError, headers: Record<string, string>): Response {
  const said = code === 'INTERNAL' ? 'something went wrong in the media engine' : message.replace(/^auth_failed: /, '');
  const body = { error: { code, message: said, ...(hint === undefined ? {} : { hint }) } };
  return Response.json(body, {
    status: statuses[code] ?? 500,
    headers: { 'cache-control': 'no-store', ...headers },
  });
}

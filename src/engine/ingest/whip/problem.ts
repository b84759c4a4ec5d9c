import type { ErrorCode, StreamsError } from '../../../core/errors.ts';

const statuses: Partial<Record<ErrorCode, number>> = {
  INVALID_ARGUMENT: 400,
  MALFORMED: 400,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  CONFLICT: 409,
  LIMIT_EXCEEDED: 413,
  UNSUPPORTED: 422,
  RATE_LIMITED: 429,
  TIMEOUT: 503,
  API_UNREACHABLE: 503,
};

/** `application/problem+json` (RFC 9457) of an error; `status` where the code does not say it. */
export function problem(error: StreamsError, headers: Record<string, string>, status?: number): Response {
  const { code, message, hint } = error;
  const answered = status ?? statuses[code] ?? 500;
  const title =
    code === 'INTERNAL' ? 'something went wrong in the media engine' : message.replace(/^auth_failed: /, '');
  const body = { type: 'about:blank', title, status: answered, ...(hint === undefined ? {} : { detail: hint }), code };
  return new Response(JSON.stringify(body), {
    status: answered,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(answered === 401 ? { 'www-authenticate': 'Bearer' } : {}),
      ...(answered === 409 || answered === 503 ? { 'retry-after': '2' } : {}),
      ...headers,
    },
  });
}

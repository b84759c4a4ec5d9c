import type { StreamsError } from '../../../core/errors.ts';
import { httpStatus } from '../../../core/http-status.ts';

/** `application/problem+json` (RFC 9457) of an error. */
export function problem(error: StreamsError, headers: Record<string, string>): Response {
  const { code, message, hint } = error;
  const answered = httpStatus(error);
  const title = code === 'INTERNAL' ? 'something went wrong in the media engine' : message;
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

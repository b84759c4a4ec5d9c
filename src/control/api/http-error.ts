import { type ErrorCode, type StreamsError, toStreamsError } from '../../core/errors.ts';
import { httpStatus } from '../../core/http-status.ts';
import type { Logger } from '../../core/log.ts';

/** The header that says when it is worth another try (RFC 9110, 10.2.3), for the codes that pass. */
export function retryAfter(code: ErrorCode): Record<string, string> {
  if (code === 'RATE_LIMITED') return { 'retry-after': '3' };
  return code === 'STORE_UNAVAILABLE' ? { 'retry-after': '1' } : {};
}

/** What a client may see of any thrown value. The words of an internal error stay in the log, under the request id. */
export function toClientError(error: unknown, requestId: string, logger: Logger): StreamsError | PublicInternalError {
  const known = toStreamsError(error);
  if (httpStatus(known) < 500 || known.code === 'STORE_UNAVAILABLE') return known;
  logger.error('request failed', { requestId, code: known.code, detail: known.message });
  return internal;
}

type PublicInternalError = { code: 'INTERNAL'; message: string; hint: string };
const internal: PublicInternalError = {
  code: 'INTERNAL',
  message: 'something went wrong in the control plane',
  hint: 'Its log has the details under this request id.',
};

/** `{error:{code,message,hint?,requestId}}` with the status of the code. */
export function errorResponse(
  error: { code: ErrorCode; message: string; hint?: string | undefined; httpStatus?: number },
  requestId: string,
): Response {
  const { code, message, hint } = error;
  const body = { error: { code, message, ...(hint === undefined ? {} : { hint }), requestId } };
  const headers: Record<string, string> = retryAfter(code);
  if (code === 'UNAUTHORIZED') headers['www-authenticate'] = 'Bearer';
  return Response.json(body, { status: httpStatus(error), headers });
}

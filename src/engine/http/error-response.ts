import type { StreamsError } from '../../core/errors.ts';
import { httpStatus } from '../../core/http-status.ts';

/** The token was read, but it does not open this: players tell it by the status from one that is missing or has expired. */
const exceptions = { TOKEN_INVALID: 403 } as const;

/** `{error:{code,message,hint?}}`, with the status of its code never cached. */
export function errorResponse(error: StreamsError, headers: Record<string, string>): Response {
  const { code, message, hint } = error;
  const said = code === 'INTERNAL' ? 'something went wrong in the media engine' : message;
  const body = { error: { code, message: said, ...(hint === undefined ? {} : { hint }) } };
  return Response.json(body, {
    status: httpStatus(error, exceptions),
    headers: { 'cache-control': 'no-store', ...headers },
  });
}

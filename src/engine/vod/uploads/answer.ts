import type { ServerResponse } from 'node:http';
import type { ErrorCode, StreamsError } from '../../../core/errors.ts';
import { httpStatus } from '../../../core/http-status.ts';

/** Of every answer: pages of other origins may upload, since the key is in a header that they must be given. */
export const corsHeaders = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers':
    'location, tus-resumable, upload-offset, upload-length, upload-complete, upload-limit, upload-expires, upload-draft-interop-version',
};

/** How long a refused body is read on. */
const lingerMs = 3000;

export type Problem = {
  readonly status: number;
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly type?: string;
  /** Further members of the document. */
  readonly extra?: Readonly<Record<string, unknown>>;
};

/** The status an upload client is to see. */
export function problemOf(error: StreamsError): Problem {
  const { code, message, hint } = error;
  if (code === 'INTERNAL') return { status: 500, code, message: 'something went wrong in the media engine' };
  return { status: httpStatus(error), code, message, hint };
}

/**
 * Problem details (RFC 9457), with our own error beside them as the rest of the API has it. What is left of the body is
 * read on for a while: a connection that is closed too early takes the answer with it.
 */
export function sendProblem(outgoing: ServerResponse, problem: Problem, headers: Record<string, string>): void {
  if (outgoing.headersSent || outgoing.destroyed) return;
  const { status, code, message, hint, type = 'about:blank', extra } = problem;
  const error = { code, message, ...(hint !== undefined && { hint }) };
  const body = JSON.stringify({ type, title: message, status, ...extra, error });
  send(outgoing, status, { ...headers, 'content-type': 'application/problem+json' }, body);
  const incoming = outgoing.req;
  if (incoming.complete) return;
  incoming.resume();
  setTimeout(() => {
    if (!incoming.complete) incoming.destroy();
  }, lingerMs).unref();
}

/** An answer that no cache keeps. */
export function send(outgoing: ServerResponse, status: number, headers: Record<string, string>, body = ''): void {
  if (outgoing.headersSent || outgoing.destroyed) return;
  outgoing.writeHead(status, {
    ...corsHeaders,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(status !== 204 && { 'content-length': String(Buffer.byteLength(body)) }),
    ...headers,
  });
  outgoing.end(body);
}

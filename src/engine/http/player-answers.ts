import { gzipSync } from 'node:zlib';

/** OPTIONS of a page of another origin that wants to read. */
export function readPreflight(request: Request, cors: Record<string, string>): Response {
  return new Response(null, {
    status: 204,
    headers: {
      ...cors,
      'access-control-allow-methods': 'GET, HEAD, OPTIONS',
      'access-control-allow-headers': request.headers.get('access-control-request-headers') ?? '*',
      'access-control-max-age': '86400',
    },
  });
}

/** A text, zipped for who takes that; HEAD gets the headers alone. `headers` say type and how long it is good for. */
export function textAnswer(
  request: Request,
  text: string,
  headers: Record<string, string>,
  { gzipLevel }: { gzipLevel?: number } = {},
): Response {
  const zip = /\bgzip\b/.test(request.headers.get('accept-encoding') ?? '');
  const body = zip ? gzipSync(text, { level: gzipLevel }) : new TextEncoder().encode(text);
  return new Response(request.method === 'HEAD' ? null : (body as Uint8Array<ArrayBuffer>), {
    headers: {
      ...headers,
      'content-length': String(body.length),
      vary: 'accept-encoding',
      ...(zip && { 'content-encoding': 'gzip' }),
    },
  });
}

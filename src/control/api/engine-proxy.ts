import { Agent, type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { Http2ServerResponse } from 'node:http2';
import { StreamsError } from '../../core/errors.ts';
import { newId } from '../../core/ids.ts';
import type { Logger } from '../../core/log.ts';
import { errorResponse } from './http-error.ts';

export type EngineProxyOptions = {
  /** `http://host:port` of the engine, as far as it is known now. */
  readonly engineUrl: () => string | undefined;
  readonly logger: Logger;
};

/** What the media engine answers under the address of this server. */
const prefixes = ['/hls/', '/ingest/', '/whip/', '/vod/', '/uploads'];
/** Of one connection, not of the request (RFC 9110 7.6.1). */
const hopByHop = ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'];

/** Passes requests on to the media engine, both bodies as they come: nothing is held here. */
export class EngineProxy {
  readonly #options: EngineProxyOptions;
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: 256, timeout: 30_000 });

  constructor(options: EngineProxyOptions) {
    this.#options = options;
  }

  /** false: the request is none of the engine's. */
  take(incoming: IncomingMessage, outgoing: ServerResponse): boolean {
    const path = incoming.url ?? '';
    if (!prefixes.some((prefix) => path.startsWith(prefix))) return false;
    const engineUrl = this.#options.engineUrl();
    if (engineUrl === undefined) refuse(outgoing);
    else this.#pass(engineUrl, incoming, outgoing, true);
    return true;
  }

  close(): void {
    this.#agent.destroy();
  }

  #pass(engineUrl: string, incoming: IncomingMessage, outgoing: ServerResponse, mayRepeat: boolean): void {
    const { method = 'GET', url = '/', headers, socket } = incoming;
    const authority = headers[':authority'];
    const upstream = request(engineUrl + url, {
      method,
      agent: this.#agent,
      // Node sets a default where a header is missing.
      headers: {
        ...(typeof authority === 'string' && { host: authority }),
        ...endToEnd(headers),
        'x-forwarded-for': socket.remoteAddress ?? '',
      },
    });
    upstream.on('information', ({ statusCode, rawHeaders }) => {
      // Upload Resumption Supported: Node has no call for it. 100 it answers by itself.
      if (statusCode !== 104 || outgoing.headersSent) return;
      if (incoming.httpVersionMajor >= 2) {
        const pairs = rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [[name.toLowerCase(), rawHeaders[i + 1]]] : []));
        const { stream } = outgoing as unknown as Http2ServerResponse;
        stream.additionalHeaders({ ':status': 104, ...endToEnd(Object.fromEntries(pairs)) });
        return;
      }
      const lines = rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${rawHeaders[i + 1]}\r\n`] : []));
      outgoing.socket?.write(`HTTP/1.1 104 Upload Resumption Supported\r\n${lines.join('')}\r\n`);
    });
    upstream.on('response', (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, endToEnd(answer.headers));
      answer.pipe(outgoing);
      answer.on('error', () => outgoing.destroy());
    });
    upstream.on('error', (error: NodeJS.ErrnoException) => {
      if (outgoing.headersSent || outgoing.destroyed) {
        // The whole answer may have come before the body that it refuses.
        if (!outgoing.writableEnded) outgoing.destroy();
        return;
      }
      // The engine let go of an idle connection at the moment we used it.
      const idle = upstream.reusedSocket && error.code === 'ECONNRESET' && (method === 'GET' || method === 'HEAD');
      if (idle && mayRepeat) {
        this.#pass(engineUrl, incoming, outgoing, false);
        return;
      }
      this.#options.logger.warn('the media engine cannot be reached', { reason: error.code ?? error.message });
      refuse(outgoing);
    });
    // It has answered, and wants no more of the body.
    upstream.on('close', () => {
      if (outgoing.writableEnded && !incoming.complete) incoming.destroy();
    });
    outgoing.on('close', () => upstream.destroy());
    if (method === 'GET' || method === 'HEAD') upstream.end();
    else incoming.pipe(upstream);
  }
}

function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const named = (headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase());
  return Object.fromEntries(
    Object.entries(headers).filter(
      // A colon: what HTTP/2 says instead of a request line.
      ([name]) => !name.startsWith(':') && !hopByHop.includes(name) && !named.includes(name),
    ),
  );
}

function refuse(outgoing: ServerResponse): void {
  const response = errorResponse(new StreamsError('API_UNREACHABLE', 'the media engine does not answer'), newId('req'));
  const headers = { ...Object.fromEntries(response.headers), 'access-control-allow-origin': '*', 'retry-after': '1' };
  outgoing.writeHead(503, { ...headers, 'cache-control': 'no-store' });
  void response.text().then((body) => outgoing.end(body));
}

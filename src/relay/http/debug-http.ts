import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { StreamsError } from '../../core/errors.ts';
import type { RelayStats } from '../relay.ts';
import { metricsText } from './metrics.ts';

export type DebugHttp = {
  readonly port: number;
  /** HTTPS only: for connections from now on. */
  setCertificate(certificatePem: string, privateKeyPem: string): void;
  close(): Promise<void>;
};

export type HttpAnswer = {
  readonly status: number;
  readonly body: string | AsyncIterable<Uint8Array>;
  readonly type?: string;
};

/** `/announced/*` and `/fetch/*`. `path`: what follows; `search`: the query with its question mark, or ''. */
export type HttpRead = (request: {
  readonly kind: 'announced' | 'fetch';
  readonly path: string;
  readonly search: string;
  readonly remoteAddress: string;
  /** Aborts when the client is gone. */
  readonly signal: AbortSignal;
}) => Promise<HttpAnswer>;

/** What is not given is not found. */
export type DebugHttpOptions = {
  readonly host: string;
  readonly port: number;
  /** Makes it HTTPS. */
  readonly tls?: { readonly certificatePem: string; readonly privateKeyPem: string };
  certificateSha256?(): string;
  /** For `/metrics`. */
  stats?(): RelayStats;
  readonly read?: HttpRead;
  /** Connections at once beside the plain ones; default 0. */
  readonly maxUpgraded?: number;
  /** Called before the server listens, for who takes its upgrades. */
  attach?(server: Server): void;
};

const maxPlainConnections = 256;

/**
 * The HTTP side of the relay: `/certificate.sha256`, `/health`, `/metrics`, `/announced/*`, `/fetch/*`, and whatever
 * `attach` adds. Throws PORT_IN_USE, CONFIG_INVALID.
 */
export async function serveDebugHttp(options: DebugHttpOptions): Promise<DebugHttp> {
  const timeouts = { requestTimeout: 10_000, headersTimeout: 5000, keepAliveTimeout: 5000 };
  const { tls } = options;
  const secure = tls && createSecureServer({ ...timeouts, cert: tls.certificatePem, key: tls.privateKeyPem });
  const server: Server = secure ?? createServer(timeouts);
  server.maxConnections = maxPlainConnections + (options.maxUpgraded ?? 0);
  server.on('request', (request, response) => {
    request.resume();
    void respond(options, request, response);
  });
  // Garbage: this connection alone.
  server.on('clientError', (_error, socket) => socket.destroy());
  server.on('tlsClientError', () => {});
  options.attach?.(server);
  await listen(server, options.host, options.port);
  return {
    port: (server.address() as AddressInfo).port,
    setCertificate: (cert, key) => secure?.setSecureContext({ cert, key }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function respond(options: DebugHttpOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, url = '/' } = request;
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  if (method !== 'GET' && method !== 'HEAD') answer(response, 405, 'only GET\n');
  else if (path === '/certificate.sha256' && options.certificateSha256) {
    // No newline: @moq/net takes the whole body for hexadecimal digits.
    answer(response, 200, options.certificateSha256());
  } else if (path === '/health') answer(response, 200, 'ok\n');
  else if (path === '/metrics' && options.stats) answer(response, 200, metricsText(options.stats()));
  else {
    const [, kind, rest = ''] = /^\/(announced|fetch)(\/.*)?$/s.exec(path) ?? [];
    if (options.read === undefined || kind === undefined) answer(response, 404, 'not found\n');
    else {
      const gone = new AbortController();
      response.on('close', () => gone.abort());
      const { remoteAddress = '', remotePort = 0 } = request.socket;
      const found = await options.read({
        kind: kind as 'announced' | 'fetch',
        path: rest,
        search: mark < 0 ? '' : url.slice(mark),
        remoteAddress: `${remoteAddress}:${remotePort}`,
        signal: gone.signal,
      });
      await send(response, found, method === 'HEAD');
    }
  }
}

async function send(response: ServerResponse, { status, body, type }: HttpAnswer, headOnly: boolean): Promise<void> {
  if (typeof body === 'string') return answer(response, status, body);
  response.writeHead(status, { ...headers, ...(type !== undefined && { 'content-type': type }) });
  if (headOnly) {
    response.end();
    await body[Symbol.asyncIterator]().return?.();
    return;
  }
  // A body that ends early breaks the connection off, which is how HTTP says so.
  await pipeline(Readable.from(body), response).catch(() => response.destroy());
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'EADDRINUSE') reject(new StreamsError('PORT_IN_USE', `TCP port ${port} is taken`, { cause }));
      else reject(new StreamsError('CONFIG_INVALID', `cannot listen on ${host} port ${port}`, { cause }));
    });
    server.listen(port, host, () => resolve());
  });
}

const headers = {
  'content-type': 'text/plain; charset=utf-8',
  'cache-control': 'no-store',
  'access-control-allow-origin': '*',
};

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, headers);
  response.end(text);
}

import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { StreamsError } from '../core/errors.ts';
import type { RelayStats } from './create-relay.ts';
import { metricsText } from './metrics.ts';

export type DebugHttp = {
  readonly port: number;
  close(): Promise<void>;
};

export type DebugHttpOptions = {
  readonly host: string;
  readonly port: number;
  certificateSha256(): string;
  stats(): RelayStats;
  /** Connections at once beside the plain ones; default 0. */
  readonly maxUpgraded?: number;
  /** Called before the server listens, for who takes its upgrades. */
  attach?(server: Server): void;
};

const maxPlainConnections = 256;

/**
 * The relay's HTTP side, on the TCP port of the same number: `/certificate.sha256`, `/health`, `/metrics`, and whatever
 * `attach` adds. Throws PORT_IN_USE.
 */
export async function serveDebugHttp(options: DebugHttpOptions): Promise<DebugHttp> {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 5000, keepAliveTimeout: 5000 });
  server.maxConnections = maxPlainConnections + (options.maxUpgraded ?? 0);
  server.on('request', (request, response) => {
    request.resume();
    const path = (request.url ?? '/').split('?', 1)[0]!;
    if (request.method !== 'GET' && request.method !== 'HEAD') answer(response, 405, 'only GET\n');
    else if (path === '/certificate.sha256') answer(response, 200, `${options.certificateSha256()}\n`);
    else if (path === '/health') answer(response, 200, 'ok\n');
    else if (path === '/metrics') answer(response, 200, metricsText(options.stats()));
    else answer(response, 404, 'not found\n');
  });
  // Garbage: this connection alone.
  server.on('clientError', (_error, socket) => socket.destroy());
  options.attach?.(server);
  await listen(server, options.host, options.port);
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
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

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
    'access-control-allow-origin': '*',
  });
  response.end(text);
}

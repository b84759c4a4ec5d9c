import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { StreamsError } from '../../core/errors.ts';
import { answerRequests, type Served } from './answer-requests.ts';

/** Of HTTP/1, also over TLS. A request has no deadline as a whole: one that is passed on may be an encoder's, which lasts for hours. */
export const http1Timeouts = { headersTimeout: 10_000, requestTimeout: 0, keepAliveTimeout: 30_000 } as const;

export type HttpServer = { readonly port: number; close(): Promise<void> };

/** Serves over HTTP/1 on a TCP port (0 picks one). Slow headers, slow bodies and too many connections are cut. Throws PORT_IN_USE. */
export async function listen(options: Served & { host: string; port: number; option?: string }): Promise<HttpServer> {
  const server = createServer({ ...http1Timeouts, connectionsCheckingInterval: 1000 }, answerRequests(options));
  server.on('connection', (socket) => options.bounds.admit(socket));
  server.listen(options.port, options.host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw listenError(error as NodeJS.ErrnoException, { option: '--http-port', ...options });
  }
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** What keeps a server from listening, in words. `option`: which one sets the port. */
export function listenError(
  error: NodeJS.ErrnoException,
  { host, port, option }: { host: string; port: number; option: string },
): StreamsError {
  if (error.code === 'EADDRINUSE')
    return new StreamsError('PORT_IN_USE', `port ${port} (HTTP) is already in use`, {
      hint: `Stop what uses it, or pass ${option} with another port (0 picks a free one).`,
      cause: error,
    });
  return new StreamsError('CONFIG_INVALID', `cannot listen on ${host}:${port} (HTTP): ${error.message}`, {
    hint: `Check --host and ${option}.`,
    cause: error,
  });
}

/** The address a user on this machine reaches the listener at. */
export function httpUrl(host: string, port: number): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}

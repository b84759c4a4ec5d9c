import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { StreamsError } from '../../core/errors.ts';

const maxConnections = 2048;
const headersTimeoutMs = 10_000;
const requestTimeoutMs = 30_000;
const keepAliveTimeoutMs = 30_000;

export type HttpServer = { readonly port: number; close(): Promise<void> };

/** Serves `fetch` on a TCP port (0 picks one). Slow headers, slow bodies and too many connections are cut. Throws PORT_IN_USE. */
export async function listen(options: {
  host: string;
  port: number;
  fetch(request: Request, remoteAddress: string): Promise<Response>;
  /** Looks at a request first; true: it answers by itself. */
  take?(incoming: IncomingMessage, outgoing: ServerResponse): boolean;
}): Promise<HttpServer> {
  const answer = getRequestListener(
    (request, env) =>
      options.fetch(request, (env as { incoming: IncomingMessage }).incoming.socket.remoteAddress ?? ''),
    { overrideGlobalObjects: false },
  );
  const server = createServer(
    {
      headersTimeout: headersTimeoutMs,
      // A request that is passed on may be an encoder's, which lasts for hours.
      requestTimeout: 0,
      keepAliveTimeout: keepAliveTimeoutMs,
      connectionsCheckingInterval: 1000,
    },
    (incoming, outgoing) => {
      if (options.take?.(incoming, outgoing) === true) return;
      const late = setTimeout(() => incoming.destroy(), requestTimeoutMs);
      incoming.once('end', () => clearTimeout(late)).once('close', () => clearTimeout(late));
      void answer(incoming, outgoing);
    },
  );
  server.maxConnections = maxConnections;
  server.listen(options.port, options.host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw listenError(error as NodeJS.ErrnoException, { ...options, option: '--http-port' });
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

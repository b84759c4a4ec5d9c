import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';

export type HttpHandler = (request: Request, remoteAddress: string) => Promise<Response>;
export type InternalHttp = { readonly url: string; close(): Promise<void> };

const host = '127.0.0.1';
const headersTimeoutMs = 10_000;
/** Longer than the control plane keeps an unused connection. */
const keepAliveTimeoutMs = 60_000;
const maxConnections = 4096;

/**
 * The engine's HTTP, for the control plane of the same machine, which passes viewers and encoders on. On loopback only, so
 * `x-forwarded-for` is believed.
 */
export async function listenHttp(handle: HttpHandler): Promise<InternalHttp> {
  const server = createServer(
    { headersTimeout: headersTimeoutMs, requestTimeout: 0, keepAliveTimeout: keepAliveTimeoutMs },
    getRequestListener(
      (request, env) => {
        const { incoming } = env as { incoming: IncomingMessage };
        return handle(request, request.headers.get('x-forwarded-for') ?? incoming.socket.remoteAddress ?? '');
      },
      { overrideGlobalObjects: false },
    ),
  );
  server.maxConnections = maxConnections;
  server.listen(0, host);
  await once(server, 'listening');
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

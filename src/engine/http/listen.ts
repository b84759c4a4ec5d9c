import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { ForwardedAddress } from '../../access/forwarded-address.ts';

export type HttpHandler = (request: Request, remoteAddress: string) => Promise<Response>;
/** Looks at a request first; true: it answers by itself, with what `Response` has no form for. */
export type TakeRequest = (incoming: IncomingMessage, outgoing: ServerResponse, remoteAddress: string) => boolean;
export type InternalHttp = { readonly url: string; close(): Promise<void> };

const host = '127.0.0.1';
const headersTimeoutMs = 10_000;
/** Longer than the control plane keeps an unused connection. */
const keepAliveTimeoutMs = 60_000;
const maxConnections = 4096;

/**
 * The engine's HTTP, for the control plane of the same machine, which passes viewers and encoders on, on loopback only. Whose a request
 * is control says with a proof made of `serviceToken`.
 */
export async function listenHttp(serviceToken: string, handle: HttpHandler, take?: TakeRequest): Promise<InternalHttp> {
  const forwarded = new ForwardedAddress(serviceToken);
  const addressOf = ({ headers, socket }: IncomingMessage) => forwarded.read(headers) ?? socket.remoteAddress ?? '';
  const answer = getRequestListener(
    (request, env) => handle(request, addressOf((env as { incoming: IncomingMessage }).incoming)),
    { overrideGlobalObjects: false },
  );
  const server = createServer(
    { headersTimeout: headersTimeoutMs, requestTimeout: 0, keepAliveTimeout: keepAliveTimeoutMs },
    (incoming, outgoing) => {
      if (take?.(incoming, outgoing, addressOf(incoming)) !== true) void answer(incoming, outgoing);
    },
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

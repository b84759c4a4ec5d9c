import type { IncomingMessage, ServerResponse } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { TrustedProxies } from '../../access/trusted-proxies.ts';
import type { ConnectionBounds } from './connection-bounds.ts';
import { bodyIsDone, cutBody } from './request-body.ts';

/** What a listener serves. */
export type Served = {
  fetch(request: Request, remoteAddress: string): Promise<Response>;
  /** Looks at a request first; true: it answers by itself. */
  take?(incoming: IncomingMessage, outgoing: ServerResponse, remoteAddress: string): boolean;
  proxies: TrustedProxies;
  bounds: ConnectionBounds;
  /** How long a body may take that is not passed on, milliseconds; default 30 000. */
  bodyTimeoutMs?: number;
};

/** The listener of requests of HTTP/1 and HTTP/2 servers, through Node's compatibility API. */
export function answerRequests({ fetch, take, proxies, bounds, bodyTimeoutMs = 30_000 }: Served) {
  const answer = getRequestListener(
    (request, env) => fetch(request, proxies.clientOf((env as { incoming: IncomingMessage }).incoming)),
    { overrideGlobalObjects: false },
  );
  return (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    outgoing.once('close', bounds.begin(incoming.socket));
    if (take?.(incoming, outgoing, proxies.clientOf(incoming)) === true) return;
    if (!bodyIsDone(incoming)) {
      const late = setTimeout(() => {
        if (!bodyIsDone(incoming)) cutBody(incoming);
      }, bodyTimeoutMs);
      incoming.once('end', () => clearTimeout(late)).once('close', () => clearTimeout(late));
    }
    void answer(incoming, outgoing);
  };
}

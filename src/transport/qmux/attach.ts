import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { defaultMaxRecordBytes } from '../../codec/qmux/code-points.ts';
import { chooseSubprotocol, offeredSubprotocols } from '../../codec/qmux/subprotocol.ts';
import type { Transport } from '../transport.ts';
import { acceptQmux } from './accept.ts';
import type { QmuxLimits } from './limits.ts';

export type AttachQmuxOptions = {
  /** MoQT versions; the client's order is the choice. */
  protocols: readonly string[];
  onTransport(transport: Transport): void;
  /** In words why this address may not connect now (429); undefined lets it in. */
  refuse?(remoteAddress: string): string | undefined;
  /** Sessions at once; default 10 000. */
  maxSessions?: number;
  /** Largest WebSocket message the socket takes in at all; default 64 KiB. One above a record's size closes its session. */
  maxPayload?: number;
  limits?: QmuxLimits;
};

export type QmuxUpgrade = {
  readonly sessions: number;
  /** Takes no more upgrades; sessions go on. */
  detach(): void;
};

type Refusal = readonly [status: number, reason: string];

/**
 * Every WebSocket upgrade on the server becomes a transport, whatever its path. Refusals are HTTP, in words: 426 for what is
 * no WebSocket of RFC 6455, 400 without a subprotocol in common, 429 and 503 for limits. How long a request may take to
 * come is the server's `headersTimeout`.
 */
export function attachQmux(server: Server, options: AttachQmuxOptions): QmuxUpgrade {
  const { protocols, maxSessions = 10_000, maxPayload = defaultMaxRecordBytes * 4 } = options;
  let sessions = 0;
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    autoPong: false,
    maxPayload,
    handleProtocols: (offered) => chooseSubprotocol(offered, protocols) ?? false,
  });

  const crowded = (): Refusal | undefined => (sessions < maxSessions ? undefined : [503, 'the relay is full']);
  const unwelcome = (remoteAddress: string): Refusal | undefined => {
    const reason = options.refuse?.(remoteAddress);
    return reason === undefined ? undefined : [429, reason];
  };

  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    // Until the WebSocket has it: a peer that goes away is no news.
    const ignore = () => {};
    socket.on('error', ignore);
    const remoteAddress = addressOf(request);
    const refusal = refusalOf(request, protocols) ?? crowded() ?? unwelcome(remoteAddress);
    if (refusal !== undefined) {
      answer(socket, refusal);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      socket.off('error', ignore);
      sessions++;
      const transport = acceptQmux(webSocket, {
        path: request.url ?? '/',
        remoteAddress,
        protocol: webSocket.protocol,
        ...(request.headers.origin !== undefined && { origin: request.headers.origin }),
        ...(options.limits !== undefined && { limits: options.limits }),
      });
      void transport.closed.then(() => {
        sessions--;
      });
      options.onTransport(transport);
    });
  };
  server.on('upgrade', upgrade);
  return {
    get sessions() {
      return sessions;
    },
    detach: () => {
      server.off('upgrade', upgrade);
    },
  };
}

function refusalOf(
  request: IncomingMessage,
  protocols: readonly string[],
): [status: number, reason: string] | undefined {
  if (request.headers.upgrade?.toLowerCase() !== 'websocket') return [426, 'only an upgrade to websocket'];
  if (request.headers['sec-websocket-version'] !== '13') return [426, 'only WebSocket version 13 (RFC 6455)'];
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((one) => one.trim());
  if (chooseSubprotocol(offered, protocols) !== undefined) return undefined;
  return [400, `no subprotocol in common; there are: ${offeredSubprotocols(protocols).join(', ')}`];
}

function addressOf({ socket }: IncomingMessage): string {
  const { remoteAddress = '', remotePort = 0 } = socket;
  const host = remoteAddress.replace(/^::ffff:(?=\d+\.)/, '');
  return host.includes(':') ? `[${host}]:${remotePort}` : `${host}:${remotePort}`;
}

const words: Record<number, string> = {
  400: 'Bad Request',
  426: 'Upgrade Required',
  429: 'Too Many Requests',
  503: 'Service Unavailable',
};

function answer(socket: Duplex, [status, reason]: Refusal): void {
  const upgrade = status === 426 ? 'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' : '';
  const body = `${reason}\n`;
  socket.end(
    `HTTP/1.1 ${status} ${words[status]}\r\nConnection: close\r\n${upgrade}` +
      `Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}

import type { WebSocket } from 'ws';
import { applicationProtocol } from '../../codec/qmux/subprotocol.ts';
import type { Transport } from '../transport.ts';
import type { QmuxLimits } from './limits.ts';
import { QmuxTransport } from './qmux-transport.ts';
import { WsSocket } from './ws-socket.ts';

export type AcceptQmuxOptions = {
  /** Path and query of the upgrade request. */
  path: string;
  /** `address:port`. */
  remoteAddress: string;
  /** Origin header of the upgrade request. */
  origin?: string;
  /** What was negotiated, with or without the draft of QMux before it: `qmux-01.moqt-18` or `moqt-18`. */
  protocol: string;
  limits?: QmuxLimits;
};

/** The server's end of a connection over a WebSocket that has just been upgraded, made with `autoPong: false`. */
export function acceptQmux(socket: WebSocket, options: AcceptQmuxOptions): Transport {
  const protocol = applicationProtocol(options.protocol);
  return new QmuxTransport(new WsSocket(socket), { ...options, protocol, role: 'server' });
}

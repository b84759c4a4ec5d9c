import type { RawData, WebSocket } from 'ws';
import type { QmuxSocket, QmuxSocketEvents } from './socket.ts';

/** After `close`, for the peer to take what was sent and to answer. */
const lingerMs = 2000;
/** A peer that pings and does not read gets no more pongs than this leaves room for. */
const maxBufferedPongs = 64 * 1024;

/** An open WebSocket of the `ws` package, made with `autoPong: false` and `binaryType` as it comes. */
export class WsSocket implements QmuxSocket {
  readonly #socket: WebSocket;
  #isClosed = false;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  listen(events: QmuxSocketEvents): void {
    const socket = this.#socket;
    this.#sent = () => events.drained();
    socket.on('message', (data, isBinary) => {
      if (isBinary) events.message(bytesOf(data));
      else events.text();
    });
    socket.on('ping', (data) => {
      events.heard();
      if (socket.readyState === socket.OPEN && socket.bufferedAmount < maxBufferedPongs) socket.pong(data);
    });
    socket.on('pong', () => events.heard());
    let hasFailed = false;
    // 'close' follows, which ends it.
    socket.on('error', () => {
      hasFailed = true;
    });
    socket.on('close', (code) => events.ended(code !== 1006 && !hasFailed));
  }

  send(message: Uint8Array): void {
    if (this.#isClosed || this.#socket.readyState !== this.#socket.OPEN) return;
    this.#socket.send(message, (error) => {
      if (!error) this.#sent();
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.close(1000);
    if (this.#socket.readyState === this.#socket.CLOSED) return;
    const timer = setTimeout(() => this.#socket.terminate(), lingerMs);
    this.#socket.once('close', () => clearTimeout(timer));
  }

  #sent: () => void = () => {};
}

/** A plain Uint8Array: `slice` of a Buffer is no copy. */
function bytesOf(data: RawData): Uint8Array {
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  const { buffer, byteOffset, length } = Array.isArray(data) ? Buffer.concat(data) : data;
  return new Uint8Array(buffer, byteOffset, length);
}

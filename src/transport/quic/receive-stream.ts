import type { Deferred } from '../../core/deferred.ts';
import { deferred } from '../../core/deferred.ts';
import { StreamsError } from '../../core/errors.ts';
import { StreamResetError } from '../stream-reset-error.ts';
import type { ReceiveStream, StreamTaker } from '../transport.ts';
import type { ReceiveEvents, SharedSocket } from './shared-socket.ts';

/** Bytes that may wait here for a reader; beyond that QUIC's own flow control stalls the sender. */
const windowBytes = 64 * 1024;

/** The receiving half of a QUIC stream. */
export class QuicReceiveStream implements ReceiveStream, ReceiveEvents {
  readonly id: number;
  readonly #socket: SharedSocket;
  readonly #forget: (stream: QuicReceiveStream) => void;
  #chunks: Uint8Array[] = [];
  /** Read by the owner, and not yet given back as credit. */
  #consumed = 0;
  #reader: Deferred<Uint8Array | null> | undefined;
  #taker: StreamTaker | undefined;
  #ended = false;
  #stopped = false;
  #failure: StreamsError | undefined;

  constructor(socket: SharedSocket, handle: number, forget: (stream: QuicReceiveStream) => void) {
    this.id = handle;
    this.#socket = socket;
    this.#forget = forget;
    socket.receives.set(handle, this);
  }

  /** The owner has it: bytes may come. Until then the peer's stream slot stays taken, which bounds what piles up. */
  start(): this {
    if (!this.#ended) this.#socket.native.giveCredit(this.id, windowBytes);
    return this;
  }

  /** Not async: most of a relay's streams wait here, and what an async function keeps while it waits is many times the stream's own. */
  read(): Promise<Uint8Array | null> {
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#consume(chunk);
      return Promise.resolve(chunk);
    }
    if (this.#stopped) return Promise.resolve(null);
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#ended) return Promise.resolve(null);
    if (this.#reader !== undefined)
      return Promise.reject(new StreamsError('INTERNAL', 'a read is already pending on this stream'));
    this.#reader = deferred();
    return this.#reader.promise;
  }

  deliverTo(taker: StreamTaker): void {
    const isOver = this.#ended;
    this.#taker = taker;
    for (let chunk = this.#chunks.shift(); chunk !== undefined; chunk = this.#chunks.shift()) {
      this.#consume(chunk);
      taker.bytes(chunk);
    }
    if (isOver) taker.end(this.#failure);
  }

  stop(code: number): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#chunks = [];
    if (!this.#ended) this.#socket.native.stop(this.id, code);
    this.#end();
  }

  /** From the socket. */
  arrived(bytes: Uint8Array): void {
    if (this.#stopped) return;
    if (this.#taker !== undefined) {
      this.#consume(bytes);
      this.#taker.bytes(bytes);
      return;
    }
    const reader = this.#reader;
    if (reader === undefined) {
      this.#chunks.push(bytes);
      return;
    }
    this.#reader = undefined;
    this.#consume(bytes);
    reader.resolve(bytes);
  }

  /** From the socket: FIN. */
  finished(): void {
    this.#end();
  }

  /** From the socket: RESET_STREAM. What was not read is thrown away (RFC 9000, 3.2). */
  wasReset(code: number): void {
    this.#chunks = [];
    this.#end(new StreamResetError(code));
  }

  /** The connection ended; what has arrived can still be read. */
  lost(error: StreamsError): void {
    this.#end(error);
  }

  #consume(bytes: Uint8Array): void {
    if (this.#ended) return;
    this.#consumed += bytes.length;
    if (this.#consumed < windowBytes / 4) return;
    this.#socket.native.giveCredit(this.id, this.#consumed);
    this.#consumed = 0;
  }

  #end(failure?: StreamsError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = failure;
    this.#socket.receives.delete(this.id);
    this.#forget(this);
    const reader = this.#reader;
    this.#reader = undefined;
    if (failure === undefined) reader?.resolve(null);
    else reader?.reject(failure);
    const taker = this.#taker;
    if (this.#stopped) queueMicrotask(() => taker?.end(undefined));
    else taker?.end(failure);
  }
}

import type { Deferred } from '../../core/deferred.ts';
import { deferred } from '../../core/deferred.ts';
import type { FanOutTarget, SendStream } from '../transport.ts';
import type { SendEvents, SharedSocket } from './shared-socket.ts';

/** The sending half of a QUIC stream. Its native half goes on after `finish` until everything is acknowledged. */
export class QuicSendStream implements SendStream, SendEvents {
  readonly id: number;
  readonly fanOut: FanOutTarget;
  readonly #socket: SharedSocket;
  readonly #forget: (stream: QuicSendStream) => void;
  #finished = false;
  /** undefined while open; then the peer's STOP_SENDING code, or null. */
  #outcome: number | null | undefined;
  #stopped: Deferred<number | null> | undefined;
  #writable: Deferred<void> | undefined;

  constructor(socket: SharedSocket, handle: number, forget: (stream: QuicSendStream) => void) {
    this.id = handle;
    this.fanOut = { writer: socket, handle };
    this.#socket = socket;
    this.#forget = forget;
    socket.sends.set(handle, this);
  }

  get queuedBytes(): number {
    return this.#outcome === undefined ? this.#socket.native.queued(this.id) : 0;
  }

  get stopped(): Promise<number | null> {
    if (this.#stopped === undefined) {
      this.#stopped = deferred();
      if (this.#outcome !== undefined) this.#stopped.resolve(this.#outcome);
    }
    return this.#stopped.promise;
  }

  write(bytes: Uint8Array): boolean {
    return this.#outcome === undefined && this.#socket.native.write(this.id, bytes);
  }

  writable(): Promise<void> {
    if (this.#writable !== undefined) return this.#writable.promise;
    if (this.#outcome !== undefined || this.#finished || this.#socket.native.writable(this.id))
      return Promise.resolve();
    this.#writable = deferred();
    return this.#writable.promise;
  }

  finish(): void {
    if (this.#outcome !== undefined || this.#finished) return;
    this.#finished = true;
    this.#socket.native.finish(this.id);
    this.becameWritable();
  }

  reset(code: number): void {
    if (this.#outcome !== undefined) return;
    this.#socket.native.reset(this.id, code);
    this.ended(null);
  }

  setPriority(priority: number): void {
    if (this.#outcome === undefined) this.#socket.native.setPriority(this.id, priority);
  }

  /** From the socket: there is room again. */
  becameWritable(): void {
    this.#writable?.resolve();
    this.#writable = undefined;
  }

  /** From the socket: stopped with this code, or acknowledged, or lost (null). */
  ended(outcome: number | null): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    this.#socket.sends.delete(this.id);
    this.#forget(this);
    this.#stopped?.resolve(outcome);
    this.becameWritable();
  }
}

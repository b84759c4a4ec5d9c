import type { Deferred } from '../../core/deferred.ts';
import { deferred } from '../../core/deferred.ts';
import { StreamEnd } from '../stream-end.ts';
import type { EndListener, FanOutWriter, SendStream } from '../transport.ts';
import type { SendEvents, SharedSocket } from './shared-socket.ts';

/** The sending half of a QUIC stream. Its native half goes on after `finish` until everything is acknowledged. */
export class QuicSendStream implements SendStream, SendEvents {
  readonly id: number;
  readonly #socket: SharedSocket;
  readonly #forget: (stream: QuicSendStream) => void;
  readonly #end = new StreamEnd();
  #finished = false;
  #writable: Deferred<void> | undefined;

  constructor(socket: SharedSocket, handle: number, forget: (stream: QuicSendStream) => void) {
    this.id = handle;
    this.#socket = socket;
    this.#forget = forget;
    socket.sends.set(handle, this);
  }

  get fanOut(): FanOutWriter {
    return this.#socket;
  }

  get queuedBytes(): number {
    return this.#isOpen ? this.#socket.native.queued(this.id) : 0;
  }

  get stopped(): Promise<number | null> {
    return this.#end.promise;
  }

  onEnd(listener: EndListener): void {
    this.#end.listen(listener);
  }

  write(bytes: Uint8Array): boolean {
    return this.#isOpen && this.#socket.native.write(this.id, bytes);
  }

  writable(): Promise<void> {
    if (this.#writable !== undefined) return this.#writable.promise;
    if (!this.#isOpen || this.#finished || this.#socket.native.writable(this.id)) return Promise.resolve();
    this.#writable = deferred();
    return this.#writable.promise;
  }

  finish(): void {
    if (!this.#isOpen || this.#finished) return;
    this.#finished = true;
    this.#socket.native.finish(this.id);
    this.becameWritable();
  }

  reset(code: number): void {
    if (!this.#isOpen) return;
    this.#socket.native.reset(this.id, code);
    this.ended(null);
  }

  setPriority(priority: number): void {
    if (this.#isOpen) this.#socket.native.setPriority(this.id, priority);
  }

  /** From the socket: there is room again. */
  becameWritable(): void {
    this.#writable?.resolve();
    this.#writable = undefined;
  }

  /** From the socket: stopped with this code, or acknowledged, or lost (null). */
  ended(outcome: number | null): void {
    if (!this.#isOpen) return;
    this.#socket.sends.delete(this.id);
    this.#forget(this);
    this.#end.settle(outcome);
    this.becameWritable();
  }

  get #isOpen(): boolean {
    return this.#end.outcome === undefined;
  }
}

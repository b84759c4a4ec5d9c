import type { Deferred } from '../../core/deferred.ts';
import { deferred } from '../../core/deferred.ts';
import { StreamEnd } from '../stream-end.ts';
import type { EndListener, SendStream } from '../transport.ts';

/** What a stream tells the connection it belongs to. */
export type SendStreamHooks = {
  /** It has something to send, or its priority changed. */
  ready(stream: QmuxSendStream): void;
  /** It was reset here; on the wire it may not even exist. */
  resetHere(stream: QmuxSendStream, code: number): void;
  /** Nothing more will be sent: FIN is with the socket, or reset, stopped, lost. */
  ended(stream: QmuxSendStream): void;
};

/** The sending half of a stream. It gets its number on the wire with the first frame that is sent of it. */
export class QmuxSendStream implements SendStream {
  readonly id: number;
  readonly bidirectional: boolean;
  /** undefined until the first frame. */
  wireId: number | undefined;
  /** Offset up to which the peer lets us send. */
  credit = 0;
  sentBytes = 0;
  priority: number;
  readonly #highWaterBytes: number;
  readonly #hooks: SendStreamHooks;
  #chunks: Uint8Array[] = [];
  #queuedBytes = 0;
  #finished = false;
  readonly #end = new StreamEnd();
  #writable: Deferred<void> | undefined;

  constructor(id: number, bidirectional: boolean, priority: number, highWaterBytes: number, hooks: SendStreamHooks) {
    this.id = id;
    this.bidirectional = bidirectional;
    this.priority = priority;
    this.#highWaterBytes = highWaterBytes;
    this.#hooks = hooks;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  get isEnded(): boolean {
    return this.#end.outcome !== undefined;
  }

  get stopped(): Promise<number | null> {
    return this.#end.promise;
  }

  onEnd(listener: EndListener): void {
    this.#end.listen(listener);
  }

  /** Whether the peer's stream credit lets the next frame go. */
  get sendable(): boolean {
    if (this.isEnded) return false;
    return this.#queuedBytes > 0 ? this.credit > this.sentBytes : this.#finished;
  }

  write(bytes: Uint8Array): boolean {
    if (this.isEnded || this.#finished || this.#queuedBytes >= this.#highWaterBytes) return false;
    if (bytes.length === 0) return true;
    this.#chunks.push(bytes);
    this.#queuedBytes += bytes.length;
    this.#hooks.ready(this);
    return true;
  }

  writable(): Promise<void> {
    if (this.isEnded || this.#finished || this.#queuedBytes < this.#highWaterBytes) return Promise.resolve();
    this.#writable ??= deferred();
    return this.#writable.promise;
  }

  finish(): void {
    if (this.isEnded || this.#finished) return;
    this.#finished = true;
    this.#wakeWriter();
    this.#hooks.ready(this);
  }

  reset(code: number): void {
    if (this.isEnded) return;
    this.#hooks.resetHere(this, code);
    this.end(null);
  }

  setPriority(priority: number): void {
    if (this.isEnded || priority === this.priority) return;
    this.priority = priority;
    if (this.#queuedBytes > 0 || this.#finished) this.#hooks.ready(this);
  }

  /** Up to `maxBytes` for the next STREAM frame, added to `pieces`. After FIN the stream is ended. */
  take(maxBytes: number, pieces: Uint8Array[]): { length: number; fin: boolean } {
    const length = Math.min(maxBytes, this.#queuedBytes, this.credit - this.sentBytes);
    let left = length;
    let whole = 0;
    while (left > 0) {
      const chunk = this.#chunks[whole]!;
      if (chunk.length <= left) {
        pieces.push(chunk);
        left -= chunk.length;
        whole++;
      } else {
        pieces.push(chunk.subarray(0, left));
        this.#chunks[whole] = chunk.subarray(left);
        left = 0;
      }
    }
    this.#chunks.splice(0, whole);
    this.#queuedBytes -= length;
    this.sentBytes += length;
    const fin = this.#finished && this.#queuedBytes === 0;
    if (fin) this.end(null);
    else if (this.#queuedBytes < this.#highWaterBytes) this.#wakeWriter();
    return { length, fin };
  }

  /** `outcome`: the peer's STOP_SENDING code, or null. What is queued is thrown away. Idempotent. */
  end(outcome: number | null): void {
    if (this.isEnded) return;
    this.#chunks = [];
    this.#queuedBytes = 0;
    this.#end.settle(outcome);
    this.#wakeWriter();
    this.#hooks.ended(this);
  }

  #wakeWriter(): void {
    this.#writable?.resolve();
    this.#writable = undefined;
  }
}

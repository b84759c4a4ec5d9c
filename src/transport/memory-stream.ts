import type { Deferred } from '../core/deferred.ts';
import { deferred } from '../core/deferred.ts';
import { StreamsError } from '../core/errors.ts';
import { StreamEnd } from './stream-end.ts';
import { StreamResetError } from './stream-reset-error.ts';
import type { EndListener, ReceiveStream, SendStream } from './transport.ts';

/** What a stream tells the pair it belongs to. */
export type MemoryStreamHooks = {
  /** First byte, FIN or reset: from now on the peer sees the stream. */
  started(stream: MemoryStream): void;
  wrote(stream: MemoryStream, byteLength: number): void;
  ended(stream: MemoryStream): void;
};

/** One direction of a stream in memory: the writer's and the reader's end are the same object. */
export class MemoryStream implements SendStream, ReceiveStream {
  readonly id: number;
  readonly #highWaterBytes: number;
  readonly #hooks: MemoryStreamHooks;
  readonly #sendEnd = new StreamEnd();
  #chunks: Uint8Array[] = [];
  #queuedBytes = 0;
  #finished = false;
  /** No more writes: FIN was read, reset, stopped, or the pair closed. */
  #ended = false;
  #stoppedByReader = false;
  #failure: StreamsError | undefined;
  #reader: Deferred<Uint8Array | null> | undefined;
  #writers: Deferred<void>[] = [];

  constructor(id: number, highWaterBytes: number, hooks: MemoryStreamHooks) {
    this.id = id;
    this.#highWaterBytes = highWaterBytes;
    this.#hooks = hooks;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  get stopped(): Promise<number | null> {
    return this.#sendEnd.promise;
  }

  onEnd(listener: EndListener): void {
    this.#sendEnd.listen(listener);
  }

  write(bytes: Uint8Array): boolean {
    if (this.#ended || this.#finished || this.#queuedBytes >= this.#highWaterBytes) return false;
    this.#hooks.started(this);
    if (bytes.length === 0) return true;
    this.#hooks.wrote(this, bytes.length);
    const reader = this.#reader;
    if (reader !== undefined) {
      this.#reader = undefined;
      reader.resolve(bytes);
      return true;
    }
    this.#chunks.push(bytes);
    this.#queuedBytes += bytes.length;
    return true;
  }

  writable(): Promise<void> {
    if (this.#ended || this.#finished || this.#queuedBytes < this.#highWaterBytes) return Promise.resolve();
    const writer = deferred<void>();
    this.#writers.push(writer);
    return writer.promise;
  }

  finish(): void {
    if (this.#ended || this.#finished) return;
    this.#hooks.started(this);
    this.#finished = true;
    this.#wakeWriters();
    if (this.#reader !== undefined) {
      this.#reader.resolve(null);
      this.#reader = undefined;
      this.#end(null);
    }
  }

  reset(code: number): void {
    if (this.#ended) return;
    this.#hooks.started(this);
    this.#fail(new StreamResetError(code));
  }

  setPriority(): void {}

  async read(): Promise<Uint8Array | null> {
    if (this.#stoppedByReader) return null;
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#queuedBytes -= chunk.length;
      if (this.#queuedBytes < this.#highWaterBytes) this.#wakeWriters();
      return chunk;
    }
    if (this.#finished) {
      this.#end(null);
      return null;
    }
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#reader !== undefined) throw new StreamsError('INTERNAL', 'a read is already pending on this stream');
    this.#reader = deferred();
    return this.#reader.promise;
  }

  stop(code: number): void {
    if (this.#stoppedByReader) return;
    this.#stoppedByReader = true;
    this.#discard();
    this.#reader?.resolve(null);
    this.#reader = undefined;
    this.#end(code);
  }

  /** The pair has closed. `discard`: what was not read is lost; otherwise it can still be read. */
  lose(error: StreamsError, discard: boolean): void {
    if (this.#ended) return;
    if (discard) {
      this.#fail(error);
      return;
    }
    this.#failure = error;
    this.#reader?.reject(error);
    this.#reader = undefined;
    this.#end(null);
  }

  #fail(error: StreamsError): void {
    this.#failure = error;
    this.#finished = false;
    this.#discard();
    this.#reader?.reject(error);
    this.#reader = undefined;
    this.#end(null);
  }

  #discard(): void {
    this.#chunks = [];
    this.#queuedBytes = 0;
  }

  #end(stopCode: number | null): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#sendEnd.settle(stopCode);
    this.#wakeWriters();
    this.#hooks.ended(this);
  }

  #wakeWriters(): void {
    for (const writer of this.#writers.splice(0)) writer.resolve();
  }
}

import { qmuxCode } from '../../codec/qmux/code-points.ts';
import { QmuxError } from '../../codec/qmux/qmux-error.ts';
import type { Deferred } from '../../core/deferred.ts';
import { deferred } from '../../core/deferred.ts';
import { StreamsError } from '../../core/errors.ts';
import { StreamResetError } from '../stream-reset-error.ts';
import type { ReceiveStream } from '../transport.ts';

/** What a stream tells the connection it belongs to. */
export type ReceiveStreamHooks = {
  /** The owner has read, or has no use for, this many bytes. */
  consumed(byteLength: number): void;
  /** The peer may have more credit on this stream. */
  creditDue(stream: QmuxReceiveStream): void;
  stoppedHere(stream: QmuxReceiveStream, code: number): void;
  /** The peer sends no more: FIN, RESET_STREAM, or the connection is over. */
  ended(stream: QmuxReceiveStream): void;
};

/** Small pieces that wait for a reader are joined in blocks of this size, so that they cost about what they hold. */
const blockBytes = 4096;

/** The receiving half of a stream. */
export class QmuxReceiveStream implements ReceiveStream {
  readonly id: number;
  /** undefined until the stream is on the wire. */
  wireId: number | undefined;
  /** Asked for before the stream was on the wire. */
  stopCode: number | undefined;
  readonly #window: number;
  readonly #hooks: ReceiveStreamHooks;
  #chunks: Uint8Array[] = [];
  /** The rest of the newest chunk's buffer. */
  #room: Uint8Array = new Uint8Array(0);
  #receivedBytes = 0;
  #consumedBytes = 0;
  #limit: number;
  #reader: Deferred<Uint8Array | null> | undefined;
  #ended = false;
  #failure: StreamsError | undefined;

  constructor(id: number, window: number, hooks: ReceiveStreamHooks) {
    this.id = id;
    this.#window = window;
    this.#limit = window;
    this.#hooks = hooks;
  }

  get isEnded(): boolean {
    return this.#ended;
  }

  async read(): Promise<Uint8Array | null> {
    if (this.stopCode !== undefined) return null;
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      if (this.#chunks.length === 0) this.#room = new Uint8Array(0);
      this.#consume(chunk.length);
      return chunk;
    }
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#ended) return null;
    if (this.#reader !== undefined) throw new StreamsError('INTERNAL', 'a read is already pending on this stream');
    this.#reader = deferred();
    return this.#reader.promise;
  }

  stop(code: number): void {
    if (this.stopCode !== undefined) return;
    this.stopCode = code;
    this.#discard();
    this.#reader?.resolve(null);
    this.#reader = undefined;
    if (!this.#ended) this.#hooks.stoppedHere(this, code);
  }

  /** A new limit for MAX_STREAM_DATA. */
  raiseLimit(): number {
    this.#limit = this.#consumedBytes + this.#window;
    return this.#limit;
  }

  /**
   * Data of a STREAM frame. Throws QmuxError unless it follows what came before (draft-02 4.1) and there is credit. Without an
   * offset it does: @moq/qmux 0.1 never says one, though RFC 9000 19.8 takes that for 0.
   */
  arrived(offset: number | undefined, data: Uint8Array): void {
    if (offset !== undefined && offset !== this.#receivedBytes)
      throw new QmuxError(qmuxCode.protocolViolation, 'stream data out of order');
    if (data.length === 0) return;
    this.#count(data.length);
    if (this.stopCode !== undefined) {
      this.#consume(data.length);
      return;
    }
    const reader = this.#reader;
    if (reader === undefined) {
      this.#store(data);
      return;
    }
    this.#reader = undefined;
    this.#consume(data.length);
    reader.resolve(data);
  }

  /** FIN. */
  finished(): void {
    this.#end();
  }

  /**
   * RESET_STREAM. What was not read is thrown away (RFC 9000 3.2). A final size below what came is let pass: released peers
   * of drafts 01 and 02 sent 0 there. Returns by how much the final size goes beyond what came.
   */
  wasReset(code: number, finalSize: number): number {
    const missing = Math.max(0, finalSize - this.#receivedBytes);
    this.#count(missing);
    this.#discard();
    this.#end(new StreamResetError(code));
    return missing;
  }

  /** The connection ended; what has arrived can still be read. */
  lost(error: StreamsError): void {
    this.#end(error);
  }

  #count(byteLength: number): void {
    if (this.#receivedBytes + byteLength > this.#limit) {
      throw new QmuxError(qmuxCode.flowControlError, 'more stream data than there was credit for', 'LIMIT_EXCEEDED');
    }
    this.#receivedBytes += byteLength;
  }

  /** A copy: the message it is part of would live as long as the smallest piece of it. */
  #store(data: Uint8Array): void {
    if (data.length <= this.#room.length) {
      const newest = this.#chunks.length - 1;
      const chunk = this.#chunks[newest]!;
      this.#room.set(data);
      this.#room = this.#room.subarray(data.length);
      this.#chunks[newest] = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length + data.length);
      return;
    }
    // The first piece is often the only one.
    const block = new Uint8Array(this.#chunks.length === 0 ? data.length : Math.max(data.length, blockBytes));
    block.set(data);
    this.#chunks.push(block.subarray(0, data.length));
    this.#room = block.subarray(data.length);
  }

  #discard(): void {
    let byteLength = 0;
    for (const chunk of this.#chunks) byteLength += chunk.length;
    this.#chunks = [];
    this.#room = new Uint8Array(0);
    this.#consume(byteLength);
  }

  #consume(byteLength: number): void {
    if (byteLength === 0) return;
    this.#consumedBytes += byteLength;
    this.#hooks.consumed(byteLength);
    if (!this.#ended && this.#consumedBytes + this.#window - this.#limit >= this.#window / 2) {
      this.#hooks.creditDue(this);
    }
  }

  #end(failure?: StreamsError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = failure;
    const reader = this.#reader;
    this.#reader = undefined;
    if (failure === undefined) reader?.resolve(null);
    else reader?.reject(failure);
    this.#hooks.ended(this);
  }
}

import { concat, emptyBytes } from '../../../core/bytes.ts';
import { StreamsError } from '../../../core/errors.ts';
import { limitExceeded } from '../moqt-error.ts';
import type { Varints } from '../varint.ts';
import { WireReader } from '../wire.ts';
import { PayloadBuffer } from './payload-buffer.ts';

export const defaultMaxObjectBytes = 16 * 1024 * 1024;

/** What a head promises: `length` bytes behind it, of which the item is made. */
export type PromisedItem<T> = { readonly length: number; item(payload: Uint8Array): T };

/** One for all: that a chunk ends within a head is no fault, and to make an error costs more than to read the head. */
const cut = new StreamsError('MALFORMED', 'the head goes on in the next chunk');

class HeadReader extends WireReader {
  /** How long a head that is cut is, at least. */
  needed = 0;

  read<R>(head: (reader: WireReader) => R): R | 'cut' {
    try {
      return head(this);
    } catch (error) {
      if (error === cut) return 'cut';
      throw error;
    }
  }

  protected override truncated(count: number): StreamsError {
    this.needed = this.offset + count;
    return cut;
  }
}

/**
 * Heads, each with the payload it promises behind it, out of chunks of any size. Memory is bounded by what was received and by
 * `maxObjectBytes`. A payload that lies in one chunk is a view of it. Throws MoqtError; after that it is of no use.
 */
export class PayloadStream<T> {
  readonly #varints: Varints;
  readonly #maxObjectBytes: number;
  readonly #readHead: (reader: WireReader) => PromisedItem<T> | undefined;
  /** A head that is not whole, and how long it is at least. */
  #tail: Uint8Array = emptyBytes;
  #needed = 0;
  #pending: { readonly item: (payload: Uint8Array) => T; readonly payload: PayloadBuffer } | undefined;

  /**
   * `readHead` runs again from the first byte of a head that was not whole, so it changes nothing before its last field is read.
   * undefined: a head that says nothing by itself.
   */
  constructor(
    varints: Varints,
    maxObjectBytes: number | undefined,
    readHead: (reader: WireReader) => PromisedItem<T> | undefined,
  ) {
    this.#varints = varints;
    this.#maxObjectBytes = maxObjectBytes ?? defaultMaxObjectBytes;
    this.#readHead = readHead;
  }

  /** True between items, where a stream may end. */
  get idle(): boolean {
    return this.#tail.length === 0 && this.#pending === undefined;
  }

  push(bytes: Uint8Array): T[] {
    const items: T[] = [];
    let data = this.#tail.length === 0 ? bytes : concat([this.#tail, bytes]);
    this.#tail = emptyBytes;
    while (data.length > 0) {
      if (this.#pending === undefined) {
        const reader = new HeadReader(data, this.#varints);
        const promised = data.length < this.#needed ? 'cut' : reader.read(this.#readHead);
        if (promised === 'cut') {
          // A copy: a few bytes must not keep a whole chunk alive.
          this.#tail = data.slice();
          this.#needed = Math.max(this.#needed, reader.needed);
          break;
        }
        this.#needed = 0;
        data = data.subarray(reader.offset);
        if (promised !== undefined) this.#expect(promised, items);
        continue;
      }
      const { item, payload } = this.#pending;
      data = data.subarray(payload.take(data));
      if (!payload.complete) continue;
      this.#pending = undefined;
      items.push(item(payload.bytes()));
    }
    return items;
  }

  #expect({ length, item }: PromisedItem<T>, items: T[]): void {
    if (length > this.#maxObjectBytes)
      throw limitExceeded(`object of ${length} bytes, the limit is ${this.#maxObjectBytes}`);
    if (length > 0) this.#pending = { item, payload: new PayloadBuffer(length) };
    else items.push(item(emptyBytes));
  }
}

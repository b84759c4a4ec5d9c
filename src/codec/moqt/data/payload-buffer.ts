import { emptyBytes } from '../../../core/bytes.ts';

const firstCapacity = 16 * 1024;

/** Collects `length` bytes (at least 1). One chunk that holds them all is kept as a view; else memory grows with what arrives, never ahead of it. */
export class PayloadBuffer {
  readonly #length: number;
  #buffer: Uint8Array = emptyBytes;
  #filled = 0;

  constructor(length: number) {
    this.#length = length;
  }

  get complete(): boolean {
    return this.#filled === this.#length;
  }

  /** Takes what belongs to it from the front of `chunk`; answers how many bytes that was. */
  take(chunk: Uint8Array): number {
    const count = Math.min(chunk.length, this.#length - this.#filled);
    const part = chunk.subarray(0, count);
    if (this.#filled === 0 && count === this.#length) this.#buffer = part;
    else {
      this.#reserve(this.#filled + count);
      this.#buffer.set(part, this.#filled);
    }
    this.#filled += count;
    return count;
  }

  bytes(): Uint8Array {
    return this.#buffer;
  }

  #reserve(needed: number): void {
    if (needed <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.min(this.#length, Math.max(needed, firstCapacity, this.#buffer.length * 2)));
    grown.set(this.#buffer.subarray(0, this.#filled));
    this.#buffer = grown;
  }
}

import { emptyBytes } from './bytes.ts';

/** Bytes that come in pieces of any size. They are kept in one buffer, so a flood of tiny pieces costs no more than its bytes. */
export class GatheredBytes {
  #held: Uint8Array = emptyBytes;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Keeps a first piece as it is and copies later ones. `expected`: the length of the whole in bytes, where it is known. */
  push(piece: Uint8Array, expected = Number.POSITIVE_INFINITY): void {
    const length = this.#length + piece.length;
    if (this.#length === 0) this.#held = piece;
    else {
      if (length > this.#held.length) this.#grow(length, expected);
      this.#held.set(piece, this.#length);
    }
    this.#length = length;
  }

  /** Hands out everything as one array, and begins anew. */
  take(): Uint8Array {
    const all = this.#held.subarray(0, this.#length);
    this.#held = emptyBytes;
    this.#length = 0;
    return all;
  }

  #grow(length: number, expected: number): void {
    const grown = new Uint8Array(Math.max(length, Math.min(2 * length, expected)));
    grown.set(this.#held.subarray(0, this.#length));
    this.#held = grown;
  }
}

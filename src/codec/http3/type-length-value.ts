import { ByteWriter, concat, emptyBytes } from '../../core/bytes.ts';
import { GatheredBytes } from '../../core/gathered-bytes.ts';
import { quicVarintAt, quicVarintLength, quicVarintSize, writeQuicVarint } from '../quic-varint.ts';

/** What to do with a value: collect it whole, hand its bytes on as they come, or skip it. */
export type Handling = 'collect' | 'pass' | 'skip';

/**
 * Splits a stream of (type, length, value) units, the shape of HTTP/3 frames (RFC 9114 7.1) and capsules (RFC 9297 3.2).
 * Resumable at any byte. Holds 16 bytes of header and what `handle` says to collect, so bounding that bounds it.
 */
export class TypeLengthValueDecoder {
  readonly #handle: (type: number, length: number) => Handling;
  #header: Uint8Array = emptyBytes;
  #current: { type: number; left: number; handling: Handling; value: GatheredBytes } | undefined;

  /** `handle` decides at each unit's header; what it throws leaves `push`. */
  constructor(handle: (type: number, length: number) => Handling) {
    this.#handle = handle;
  }

  /** True between units: where a stream may end. */
  get atBoundary(): boolean {
    return this.#current === undefined && this.#header.length === 0;
  }

  /** Calls `take` for each collected value, and for each piece of a passed one. */
  push(bytes: Uint8Array, take: (type: number, value: Uint8Array) => void): void {
    let rest = bytes;
    while (rest.length > 0) {
      if (this.#current === undefined) {
        const after = this.#readHeader(rest);
        if (after === undefined) return;
        rest = after;
      }
      rest = this.#readValue(rest, take);
    }
  }

  /** What follows the header, or undefined when more is needed. A unit of length 0 is finished by #readValue. */
  #readHeader(bytes: Uint8Array): Uint8Array | undefined {
    const held = this.#header.length;
    const all = held === 0 ? bytes : concat([this.#header, bytes.subarray(0, 16)]);
    const typeLength = quicVarintLength(all[0]!);
    const headerLength = typeLength + (all.length > typeLength ? quicVarintLength(all[typeLength]!) : 1);
    if (all.length < headerLength) {
      this.#header = all.slice();
      return undefined;
    }
    const type = quicVarintAt(all, 0);
    const left = quicVarintAt(all, typeLength);
    this.#header = emptyBytes;
    this.#current = { type, left, handling: this.#handle(type, left), value: new GatheredBytes() };
    return bytes.subarray(headerLength - held);
  }

  #readValue(bytes: Uint8Array, take: (type: number, value: Uint8Array) => void): Uint8Array {
    const current = this.#current!;
    const piece = bytes.subarray(0, Math.min(bytes.length, current.left));
    current.left -= piece.length;
    if (current.handling === 'collect') current.value.push(piece, current.value.length + piece.length + current.left);
    if (current.left === 0) this.#current = undefined;
    if (current.handling === 'pass' && piece.length > 0) take(current.type, piece);
    if (current.handling === 'collect' && current.left === 0) take(current.type, current.value.take());
    return bytes.subarray(piece.length);
  }
}

export function encodeTypeLengthValue(type: number, value: Uint8Array): Uint8Array {
  const writer = new ByteWriter(quicVarintSize(type) + quicVarintSize(value.length) + value.length);
  writeQuicVarint(writer, type);
  writeQuicVarint(writer, value.length);
  return writer.bytes(value).finish();
}

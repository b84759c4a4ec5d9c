import type { ByteReader, ByteWriter } from '../../core/bytes.ts';
import { protocolViolation } from './moqt-error.ts';

/** How a dialect writes its integers: vi64 since draft-17, QUIC varints before. */
export type Varints = {
  /** Length in bytes, told by the first of them. */
  lengthOf(firstByte: number): number;
  /** Length of the shortest encoding of `value` (0 … 2^53-1). */
  size(value: number): number;
  /** Throws PROTOCOL_VIOLATION above 2^53-1. */
  read(reader: ByteReader): number;
  readBig(reader: ByteReader): bigint;
  /** Shortest encoding. */
  write(writer: ByteWriter, value: number | bigint): void;
  /** Shortest encoding straight into `out`; answers the offset after it. */
  put(out: Uint8Array, offset: number, value: number): number;
};

/** What tells one encoding from another: the first byte has marks for the length above the value's top bits. */
export type VarintForm = Pick<Varints, 'lengthOf' | 'size'> & {
  /** The marks of an encoding of `length` bytes. */
  marks(length: number): number;
  /** For a value above 2^53-1. */
  writeBig(writer: ByteWriter, value: bigint): void;
};

export function varintsOf({ lengthOf, size, marks, writeBig }: VarintForm): Varints {
  function read(reader: ByteReader): number {
    const first = reader.u8();
    const length = lengthOf(first);
    let value = first - marks(length);
    for (let i = 1; i < length; i++) value = value * 256 + reader.u8();
    if (value > Number.MAX_SAFE_INTEGER) throw protocolViolation('an integer above 2^53-1 where an id is expected');
    return value;
  }

  function readBig(reader: ByteReader): bigint {
    const first = reader.u8();
    const length = lengthOf(first);
    let value = BigInt(first - marks(length));
    for (let i = 1; i < length; i++) value = (value << 8n) | BigInt(reader.u8());
    return value;
  }

  function put(out: Uint8Array, offset: number, value: number): number {
    const length = size(value);
    let rest = value;
    for (let i = length - 1; i > 0; i--) {
      out[offset + i] = rest % 256;
      rest = Math.floor(rest / 256);
    }
    out[offset] = marks(length) | rest;
    return offset + length;
  }

  function write(writer: ByteWriter, value: number | bigint): void {
    if (typeof value === 'bigint' && value > BigInt(Number.MAX_SAFE_INTEGER)) {
      writeBig(writer, value);
      return;
    }
    const small = Number(value);
    const out = new Uint8Array(size(small));
    put(out, 0, small);
    writer.bytes(out);
  }

  return { lengthOf, size, read, readBig, write, put };
}

/** draft-18 1.4.1: 1 to 9 bytes, as many leading ones as bytes follow the first. */
export const vi64: Varints = varintsOf({
  lengthOf(first) {
    // Math.clz32 of the inverted byte, shifted to the top, counts its leading ones.
    return Math.min(Math.clz32(~(first << 24)), 8) + 1;
  },
  size(value) {
    if (value < 0x80) return 1;
    if (value < 0x4000) return 2;
    if (value < 0x200000) return 3;
    if (value < 0x10000000) return 4;
    if (value < 2 ** 35) return 5;
    if (value < 2 ** 42) return 6;
    if (value < 2 ** 49) return 7;
    return 8;
  },
  marks(length) {
    return (0xff << (9 - length)) & 0xff;
  },
  writeBig(writer, value) {
    if (value < 1n << 56n) writer.u64(value | (0xfen << 56n));
    else writer.u8(0xff).u64(value);
  },
});

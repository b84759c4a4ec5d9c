import type { ByteReader, ByteWriter } from '../core/bytes.ts';
import { StreamsError } from '../core/errors.ts';

/**
 * Variable-length integers of QUIC (RFC 9000 section 16): the two top bits of the first byte tell the length. For HTTP/3 and QMux,
 * which only compare code points and know no MoQT; moqt/quic-varints.ts is the same wire form among MoQT's.
 */

/** 1, 2, 4 or 8. */
export function quicVarintLength(firstByte: number): number {
  return 1 << (firstByte >> 6);
}

/**
 * The integer at `offset`, whose bytes must all be there (see quicVarintLength). Exact up to 2^53-1; above that the
 * nearest number, which is good enough for code points that are only compared with known ones.
 */
export function quicVarintAt(bytes: Uint8Array, offset: number): number {
  const first = bytes[offset]!;
  let value = first & 0x3f;
  const end = offset + quicVarintLength(first);
  for (let at = offset + 1; at < end; at++) value = value * 256 + bytes[at]!;
  return value;
}

/** Like quicVarintAt, at the reader. Throws MALFORMED when truncated. */
export function readQuicCodePoint(reader: ByteReader): number {
  const length = quicVarintLength(reader.bytes[reader.offset] ?? 0);
  return quicVarintAt(reader.take(length), 0);
}

/** Throws MALFORMED when truncated or above 2^53-1. */
export function readQuicVarint(reader: ByteReader): number {
  const value = readQuicCodePoint(reader);
  if (!Number.isSafeInteger(value)) throw new StreamsError('MALFORMED', 'integer above 2^53-1');
  return value;
}

/** Bytes `value` takes. Throws INVALID_ARGUMENT unless it is an integer of 0 to 2^53-1. */
export function quicVarintSize(value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new StreamsError('INVALID_ARGUMENT', `${value} is no integer of 0 to 2^53-1`);
  }
  if (value < 0x40) return 1;
  if (value < 0x4000) return 2;
  return value < 0x40000000 ? 4 : 8;
}

/** The shortest form. Throws INVALID_ARGUMENT like quicVarintSize. */
export function writeQuicVarint(writer: ByteWriter, value: number): void {
  const size = quicVarintSize(value);
  if (size === 1) writer.u8(value);
  else if (size === 2) writer.u16(value | 0x4000);
  else if (size === 4) writer.u32(value + 0x80000000);
  else writer.u32(Math.floor(value / 2 ** 32) + 0xc0000000).u32(value % 2 ** 32);
}

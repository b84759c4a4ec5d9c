import { ByteWriter } from '../../core/bytes.ts';
import { StreamsError } from '../../core/errors.ts';

/** obu_type (AV1 6.2.2). */
export const obuType = {
  sequenceHeader: 1,
  temporalDelimiter: 2,
  frameHeader: 3,
  tileGroup: 4,
  frame: 6,
  redundantFrameHeader: 7,
  tileList: 8,
  padding: 15,
};

/** One open bitstream unit (AV1 5.3). */
export type Obu = {
  type: number;
  /** Header byte and extension byte, without obu_has_size_field. */
  header: Uint8Array;
  payload: Uint8Array;
};

const maxObus = 1024;

/** The units of a temporal unit in the low-overhead format (AV1 5.2). Throws MALFORMED, LIMIT_EXCEEDED. */
export function readObus(bytes: Uint8Array): Obu[] {
  const obus: Obu[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (obus.length === maxObus) throw new StreamsError('LIMIT_EXCEEDED', `more than ${maxObus} OBUs`);
    const { obu, size } = readObu(bytes.subarray(at));
    obus.push(obu);
    at += size;
  }
  return obus;
}

/** One unit at the beginning of `bytes`; without a size field it reaches to their end. Throws MALFORMED. */
export function readObu(bytes: Uint8Array): { obu: Obu; size: number } {
  const first = bytes[0];
  if (first === undefined || first & 0x80) throw new StreamsError('MALFORMED', 'OBU header');
  const headerLength = first & 4 ? 2 : 1;
  if (bytes.length < headerLength) throw new StreamsError('MALFORMED', 'OBU header is truncated');
  const header = bytes.slice(0, headerLength);
  header[0] = first & 0xfd;
  let at = headerLength;
  let length = bytes.length - at;
  if (first & 2) {
    const size = readLeb128(bytes, at);
    at += size.length;
    length = size.value;
    if (length > bytes.length - at) throw new StreamsError('MALFORMED', 'an OBU is longer than what holds it');
  }
  const obu = { type: (first >> 3) & 15, header, payload: bytes.subarray(at, at + length) };
  return { obu, size: at + length };
}

/** Units in the low-overhead format, each with its size: a sample of an AV1 track (AV1-ISOBMFF 2.4). */
export function writeObus(obus: readonly Obu[]): Uint8Array {
  const writer = new ByteWriter(obus.reduce((size, obu) => size + obu.payload.length + 10, 0));
  for (const { header, payload } of obus) {
    writer.u8(header[0]! | 2).bytes(header.subarray(1));
    writer.bytes(leb128(payload.length)).bytes(payload);
  }
  return writer.finish();
}

/** leb128() (AV1 4.10.5): at most 8 bytes, values below 2^32. Throws MALFORMED. */
export function readLeb128(bytes: Uint8Array, from: number): { value: number; length: number } {
  let value = 0;
  for (let i = 0; i < 8; i++) {
    const byte = bytes[from + i];
    if (byte === undefined) break;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (value > 0xffff_ffff) break;
    if (byte < 0x80) return { value, length: i + 1 };
  }
  throw new StreamsError('MALFORMED', 'leb128');
}

function leb128(value: number): Uint8Array {
  const out: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) {
      out.push(rest);
      return Uint8Array.from(out);
    }
    out.push((rest % 128) | 0x80);
  }
}

import type { ByteReader, ByteWriter } from '../../core/bytes.ts';
import { StreamsError } from '../../core/errors.ts';
import { quicVarintLength } from '../quic-varint.ts';
import { protocolViolation } from './moqt-error.ts';
import type { Varints } from './varint.ts';

const max = (1n << 62n) - 1n;

function size(value: number): number {
  if (value < 0x40) return 1;
  if (value < 0x4000) return 2;
  return value < 0x40000000 ? 4 : 8;
}

function read(reader: ByteReader): number {
  const first = reader.u8();
  const length = quicVarintLength(first);
  let value = first & 0x3f;
  for (let i = 1; i < length; i++) value = value * 256 + reader.u8();
  if (value > Number.MAX_SAFE_INTEGER) throw protocolViolation('an integer above 2^53-1 where an id is expected');
  return value;
}

function readBig(reader: ByteReader): bigint {
  const first = reader.u8();
  const length = quicVarintLength(first);
  let value = BigInt(first & 0x3f);
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
  out[offset] = (Math.log2(length) << 6) | rest;
  return offset + length;
}

function write(writer: ByteWriter, value: number | bigint): void {
  if (typeof value === 'bigint' && value > BigInt(Number.MAX_SAFE_INTEGER)) {
    if (value > max) throw new StreamsError('INVALID_ARGUMENT', `${value} is above 2^62-1`);
    writer.u64(value | (3n << 62n));
    return;
  }
  const small = Number(value);
  const out = new Uint8Array(size(small));
  put(out, 0, small);
  writer.bytes(out);
}

/** RFC 9000 16: 1, 2, 4 or 8 bytes, told by the two top bits. MoQT's integers up to draft-16. */
export const quicVarints: Varints = { lengthOf: quicVarintLength, size, read, readBig, write, put };

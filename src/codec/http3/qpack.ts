import { ByteReader, ByteWriter, fromUtf8, utf8 } from '../../core/bytes.ts';
import { http3Code } from './code-points.ts';
import { Http3Error } from './http3-error.ts';
import { decodeHuffman } from './huffman.ts';
import { qpackStaticTable } from './qpack-static-table.ts';

/** Name (lower case) and value, in order; a name may come twice. */
export type Field = readonly [name: string, value: string];

const maxFields = 128;
/** Of all names and values, after Huffman: a small section can blow up only by 8/5, an indexed one by its table entry. */
const maxSectionBytes = 64 * 1024;

/**
 * A field section without dynamic table (RFC 9204 section 4.5): we announce capacity 0, so a reference to it is an error.
 * Throws Http3Error: QPACK_DECOMPRESSION_FAILED, or LIMIT_EXCEEDED above 128 fields or 64 KiB.
 */
export function decodeFieldSection(bytes: Uint8Array): Field[] {
  try {
    return decodeFields(new ByteReader(bytes));
  } catch (error) {
    if (error instanceof Http3Error) throw error;
    throw new Http3Error(http3Code.qpackDecompressionFailed, 'truncated field section');
  }
}

function decodeFields(reader: ByteReader): Field[] {
  if (readPrefixed(reader, reader.u8(), 8) !== 0) throw dynamic();
  readPrefixed(reader, reader.u8(), 7);
  const fields: Field[] = [];
  let size = 0;
  while (reader.remaining > 0) {
    const field = decodeField(reader);
    size += field[0].length + field[1].length;
    if (fields.push(field) > maxFields || size > maxSectionBytes) {
      throw new Http3Error(http3Code.excessiveLoad, 'field section too large', 'LIMIT_EXCEEDED');
    }
  }
  return fields;
}

function decodeField(reader: ByteReader): Field {
  const first = reader.u8();
  if ((first & 0x80) !== 0) {
    if ((first & 0x40) === 0) throw dynamic();
    return staticEntry(readPrefixed(reader, first, 6));
  }
  if ((first & 0x40) !== 0) {
    if ((first & 0x10) === 0) throw dynamic();
    const [name] = staticEntry(readPrefixed(reader, first, 4));
    return [name, readString(reader, reader.u8(), 7)];
  }
  if ((first & 0x20) === 0) throw dynamic();
  const name = readString(reader, first, 3);
  return [name, readString(reader, reader.u8(), 7)];
}

function dynamic(): Http3Error {
  return new Http3Error(http3Code.qpackDecompressionFailed, 'reference to the dynamic table, which has no room');
}

function staticEntry(index: number): Field {
  const entry = qpackStaticTable[index];
  if (entry === undefined) throw new Http3Error(http3Code.qpackDecompressionFailed, `no static entry ${index}`);
  return entry;
}

/** The bit above the length prefix says Huffman. */
function readString(reader: ByteReader, first: number, prefixBits: number): string {
  const bytes = reader.take(readPrefixed(reader, first, prefixBits));
  return fromUtf8((first & (1 << prefixBits)) === 0 ? bytes : decodeHuffman(bytes));
}

/** RFC 7541 section 5.1, up to 32 bits. */
function readPrefixed(reader: ByteReader, first: number, prefixBits: number): number {
  const mask = (1 << prefixBits) - 1;
  let value = first & mask;
  if (value < mask) return value;
  for (let factor = 1; ; factor *= 128) {
    const byte = reader.u8();
    value += (byte & 0x7f) * factor;
    if (value > 0xffffffff) throw new Http3Error(http3Code.qpackDecompressionFailed, 'integer above 32 bits');
    if ((byte & 0x80) === 0) return value;
    if (factor >= 2 ** 28) throw new Http3Error(http3Code.qpackDecompressionFailed, 'integer too long');
  }
}

/** Static references and literals, no Huffman. */
export function encodeFieldSection(fields: readonly Field[]): Uint8Array {
  const writer = new ByteWriter(256).u8(0).u8(0);
  for (const [name, value] of fields) {
    const whole = qpackStaticTable.findIndex((entry) => entry[0] === name && entry[1] === value);
    if (whole >= 0) {
      writePrefixed(writer, 0xc0, 6, whole);
      continue;
    }
    const named = qpackStaticTable.findIndex((entry) => entry[0] === name);
    if (named >= 0) writePrefixed(writer, 0x50, 4, named);
    else {
      const bytes = utf8(name);
      writePrefixed(writer, 0x20, 3, bytes.length);
      writer.bytes(bytes);
    }
    const bytes = utf8(value);
    writePrefixed(writer, 0x00, 7, bytes.length);
    writer.bytes(bytes);
  }
  return writer.finish();
}

function writePrefixed(writer: ByteWriter, flags: number, prefixBits: number, value: number): void {
  const mask = (1 << prefixBits) - 1;
  if (value < mask) {
    writer.u8(flags | value);
    return;
  }
  writer.u8(flags | mask);
  let rest = value - mask;
  for (; rest >= 128; rest = Math.floor(rest / 128)) writer.u8((rest % 128) | 0x80);
  writer.u8(rest);
}

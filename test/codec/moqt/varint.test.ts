import { describe, expect, it } from 'vitest';
import varints from '../../../fixtures/wire/moqt-18/moqtail/varint.json' with { type: 'json' };
import { vi64 } from '../../../src/codec/moqt/varint.ts';
import { ByteReader, ByteWriter, fromHex, hex } from '../../../src/core/bytes.ts';

const { vectors, boundaries, non_minimal, truncated, roundtrip_values, lengths } = varints;
const encode = (value: number | bigint) => {
  const writer = new ByteWriter();
  vi64.write(writer, value);
  return writer.finish();
};

describe('vi64 against the vectors of moqtail', () => {
  it.each([...vectors.entries, ...boundaries.entries, ...non_minimal.entries])('decodes $encoding', (entry) => {
    const bytes = fromHex(entry.encoding);
    expect(vi64.lengthOf(bytes[0]!)).toBe(bytes.length);
    expect(vi64.readBig(new ByteReader(bytes))).toBe(BigInt(entry.value));
    const read = () => vi64.read(new ByteReader(bytes));
    if (BigInt(entry.value) <= BigInt(Number.MAX_SAFE_INTEGER)) expect(read()).toBe(Number(entry.value));
    else expect(read).toThrow(expect.objectContaining({ code: 'PROTOCOL_VIOLATION', sessionCode: 0x3 }));
  });

  it.each([...vectors.entries.filter((entry) => entry.minimal), ...boundaries.entries])('encodes $value', (entry) => {
    expect(hex(encode(BigInt(entry.value)))).toBe(entry.encoding);
    if (BigInt(entry.value) > BigInt(Number.MAX_SAFE_INTEGER)) return;
    const value = Number(entry.value);
    expect(hex(encode(value))).toBe(entry.encoding);
    const out = new Uint8Array(12);
    const end = vi64.put(out, 1, value);
    expect(hex(out.subarray(1, end))).toBe(entry.encoding);
    expect(vi64.size(value)).toBe(entry.encoding.length / 2);
  });

  it.each(lengths.entries)('knows that $length bytes reach to $max', ({ max, length }) => {
    expect(encode(BigInt(max)).length).toBe(length);
  });

  it.each(roundtrip_values.entries)('takes %s there and back', (value) => {
    expect(vi64.readBig(new ByteReader(encode(BigInt(value))))).toBe(BigInt(value));
  });

  it.each(truncated.entries)('refuses $encoding: $reason', ({ encoding }) => {
    expect(() => vi64.read(new ByteReader(fromHex(encoding)))).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
  });
});

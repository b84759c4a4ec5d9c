import { describe, expect, it } from 'vitest';
import { boundaries, examples, longer, truncated } from '../../../fixtures/wire/moqt-18/varints.ts';
import { vi64 } from '../../../src/codec/moqt/varint.ts';
import { ByteReader, ByteWriter, fromHex, hex } from '../../../src/core/bytes.ts';

const encode = (value: number | bigint) => {
  const writer = new ByteWriter();
  vi64.write(writer, value);
  return writer.finish();
};

describe('vi64', () => {
  it.each([...examples, ...boundaries, ...longer])('decodes $encoding', ({ encoding, value }) => {
    const bytes = fromHex(encoding);
    expect(vi64.lengthOf(bytes[0]!)).toBe(bytes.length);
    expect(vi64.readBig(new ByteReader(bytes))).toBe(value);
    const read = () => vi64.read(new ByteReader(bytes));
    if (value <= BigInt(Number.MAX_SAFE_INTEGER)) expect(read()).toBe(Number(value));
    else expect(read).toThrow(expect.objectContaining({ code: 'PROTOCOL_VIOLATION', sessionCode: 0x3 }));
  });

  it.each([...examples, ...boundaries].filter(({ minimal }) => minimal))('encodes $value', ({ encoding, value }) => {
    expect(hex(encode(value))).toBe(encoding);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) return;
    expect(hex(encode(Number(value)))).toBe(encoding);
    const out = new Uint8Array(12);
    const end = vi64.put(out, 1, Number(value));
    expect(hex(out.subarray(1, end))).toBe(encoding);
    expect(vi64.size(Number(value))).toBe(encoding.length / 2);
  });

  it('takes every power of two and its neighbours there and back', () => {
    for (let bit = 0n; bit < 64n; bit++)
      for (const value of [(1n << bit) - 1n, 1n << bit, (1n << bit) + 1n])
        expect(vi64.readBig(new ByteReader(encode(value)))).toBe(value);
  });

  it.each(truncated)('refuses %j cut short', (encoding) => {
    expect(() => vi64.read(new ByteReader(fromHex(encoding)))).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
  });
});

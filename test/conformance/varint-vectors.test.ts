import { describe, expect, it } from 'vitest';
import { quicVarints } from '../../src/codec/moqt/quic-varints.ts';
import { vi64 } from '../../src/codec/moqt/varint.ts';
import { ByteReader, ByteWriter, fromHex, hex } from '../../src/core/bytes.ts';
import { fixture } from './vectors/vectors.ts';

type VarintVector = {
  readonly encoding: 'quic' | 'moqt';
  readonly hex: string;
  /** Above 2^53-1 a string of digits. */
  readonly value?: number | string;
  /** The shortest encoding, where that is not `hex`. */
  readonly canonical?: string;
  readonly error?: string;
};

const until16 = { encoding: 'quic', varints: quicVarints, drafts: 'up to draft-16 (RFC 9000 16)' };
const since17 = { encoding: 'moqt', varints: vi64, drafts: 'since draft-17 (draft-18 1.4.1)' };

describe.each([
  { maker: 'moqtap', ...until16, whole: 300, cut: 50 },
  { maker: 'moqtap', ...since17, whole: 300, cut: 50 },
  // It says the shortest encodings alone.
  { maker: 'moqtail', ...since17, whole: 190, cut: 0 },
] as const)('integers of MoQT $drafts, $maker', ({ maker, encoding, varints, ...count }) => {
  const own = fixture<VarintVector>(maker, 'varints.json').filter((vector) => vector.encoding === encoding);
  const whole = own.filter(({ value }) => value !== undefined);

  it('are read as by its maker', () => {
    expect(whole.length).toBeGreaterThanOrEqual(count.whole);
    for (const vector of whole) {
      const bytes = fromHex(vector.hex);
      const reader = new ByteReader(bytes);
      expect([vector.hex, varints.readBig(reader), reader.remaining]).toEqual([vector.hex, BigInt(vector.value!), 0]);
      expect(varints.lengthOf(bytes[0]!)).toBe(bytes.length);
      const small = () => varints.read(new ByteReader(bytes));
      if (typeof vector.value === 'number') expect(small()).toBe(vector.value);
      else expect(small).toThrow(expect.objectContaining({ sessionCode: 0x3 }));
    }
  });

  it('are written as short as by its maker', () => {
    for (const { value, hex: wide, canonical = wide } of whole) {
      const writer = new ByteWriter();
      varints.write(writer, BigInt(value!));
      expect(hex(writer.finish())).toBe(canonical);
      if (typeof value !== 'number') continue;
      const out = new Uint8Array(9);
      const end = varints.put(out, 0, value);
      expect([hex(out.subarray(0, end)), varints.size(value)]).toEqual([canonical, canonical.length / 2]);
    }
  });

  it('are waited for when they are cut short', () => {
    const cut = own.filter(({ error }) => error !== undefined);
    expect(cut.length).toBeGreaterThanOrEqual(count.cut);
    for (const { hex: bytes } of cut) {
      const read = () => varints.readBig(new ByteReader(fromHex(bytes)));
      expect(read, bytes).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
    }
  });
});

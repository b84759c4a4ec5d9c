import { describe, expect, it } from 'vitest';
import { readQuicCodePoint, readQuicVarint, writeQuicVarint } from '../../src/codec/quic-varint.ts';
import { ByteReader, ByteWriter, fromHex, hex } from '../../src/core/bytes.ts';

/** RFC 9000 appendix A.1, and the edges. */
const cases: [bytes: string, value: number][] = [
  ['c2197c5eff14e88c', Number(151_288_809_941_952_652n)],
  ['9d7f3e7d', 494_878_333],
  ['7bbd', 15_293],
  ['25', 37],
  ['00', 0],
  ['3f', 63],
  ['4040', 64],
  ['7fff', 16_383],
  ['80004000', 16_384],
  ['bfffffff', 2 ** 30 - 1],
  ['c000000040000000', 2 ** 30],
  ['c01fffffffffffff', Number.MAX_SAFE_INTEGER],
];

describe('QUIC variable-length integers', () => {
  for (const [bytes, value] of cases) {
    it(`reads ${bytes}`, () => expect(readQuicCodePoint(new ByteReader(fromHex(bytes)))).toBe(value));
    if (Number.isSafeInteger(value)) {
      it(`writes ${value}`, () => {
        const writer = new ByteWriter();
        writeQuicVarint(writer, value);
        expect(hex(writer.finish())).toBe(bytes);
      });
    }
  }
  it('reads forms longer than needed', () => {
    expect(readQuicVarint(new ByteReader(fromHex('4025')))).toBe(37);
  });
  it('refuses what is cut off or above 2^53-1', () => {
    for (const bytes of ['', '40', 'c0000000', 'c020000000000000', 'ffffffffffffffff']) {
      expect(() => readQuicVarint(new ByteReader(fromHex(bytes))), bytes).toThrow(
        expect.objectContaining({ code: 'MALFORMED' }),
      );
    }
  });
  it('refuses to write what is no integer of that range', () => {
    for (const value of [-1, 0.5, 2 ** 53, Number.NaN]) {
      expect(() => writeQuicVarint(new ByteWriter(), value)).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      );
    }
  });
});

import { describe, expect, it } from 'vitest';
import { type AmfValue, decodeAmf0, encodeAmf0 } from '../../../src/codec/rtmp/amf0.ts';
import { concat, fromHex } from '../../../src/core/bytes.ts';

const wire: { name: string; bytes: string; value: AmfValue }[] = [
  { name: 'number', bytes: '00 3ff0000000000000', value: 1 },
  { name: 'boolean', bytes: '01 01', value: true },
  { name: 'string', bytes: '02 0004 6c697665', value: 'live' },
  { name: 'object', bytes: '03 0003 617070 02 0004 6c697665 0000 09', value: { app: 'live' } },
  { name: 'empty object', bytes: '03 0000 09', value: {} },
  { name: 'null', bytes: '05', value: null },
  { name: 'undefined', bytes: '06', value: undefined },
  { name: 'strict array', bytes: '0a 00000002 01 00 05', value: [false, null] },
];
const readOnly: typeof wire = [
  { name: 'ECMA array', bytes: '08 00000001 0005 7769647468 00 4084000000000000 0000 09', value: { width: 640 } },
  { name: 'date', bytes: '0b 4059000000000000 0000', value: 100 },
  { name: 'long string', bytes: '0c 00000002 6869', value: 'hi' },
  { name: 'typed object', bytes: '10 0001 41 0000 09', value: {} },
  { name: 'reference', bytes: '07 0001', value: null },
];

describe('AMF0', () => {
  it.each([...wire, ...readOnly])('reads a $name', ({ bytes, value }) => {
    expect(decodeAmf0(fromHex(bytes))).toEqual([value]);
  });
  it.each(wire)('writes a $name', ({ bytes, value }) => {
    expect(encodeAmf0(value)).toEqual(fromHex(bytes));
  });
  it.each([...wire, ...readOnly].filter(({ bytes }) => bytes.length > 2))(
    'says MALFORMED for a cut $name',
    ({ bytes }) => {
      const whole = fromHex(bytes);
      for (let end = 1; end < whole.length; end++)
        expect(() => decodeAmf0(whole.subarray(0, end))).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
    },
  );
  it('does not nest without end, nor hold values without number', () => {
    const bomb = concat(Array.from({ length: 1000 }, () => fromHex('0a 00000001')));
    expect(() => decodeAmf0(concat([bomb, fromHex('05')]))).toThrow(
      expect.objectContaining({ code: 'LIMIT_EXCEEDED' }),
    );
    expect(() => decodeAmf0(new Uint8Array(5000).fill(5))).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }));
    expect(() => decodeAmf0(fromHex('0a ffffffff 05'))).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
  });
  it('takes a key named __proto__ as a key', () => {
    const [value] = decodeAmf0(fromHex('03 0009 5f5f70726f746f5f5f 03 0001 61 01 01 0000 09 0000 09'));
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });
});

import { describe, expect, it } from 'vitest';
import { hasIdr, parseAvcConfig, toFourByteLengths, withFourByteLengths } from '../../../src/codec/h264/avc-config.ts';
import { parseSps } from '../../../src/codec/h264/sps.ts';
import { fromHex } from '../../../src/core/bytes.ts';

const records = [
  {
    name: 'x264 High, 640x360 at 25 frames per second, cropped from 640x368',
    bytes: fromHex(
      '01 64001e ff' + // version 1, profile 100, no constraints, level 30; lengths of 4 bytes
        'e1 001a 67 64001eacd980a02ff97011000003000100000300320f162d9a' + // one SPS of 26 bytes
        '01 0006 68e97892c8b0 fdf8f800', // one PPS of 6 bytes; the High profile's tail
    ),
    value: { codec: 'avc1.64001e', width: 640, height: 360, framerate: 25 },
  },
];

describe('AVCDecoderConfigurationRecord', () => {
  it.each(records)('$name', ({ bytes, value }) => {
    const config = parseAvcConfig(bytes);
    expect({
      codec: config.codec,
      width: config.sps.width,
      height: config.sps.height,
      framerate: config.sps.framerate,
    }).toEqual(value);
    expect(config.nalLengthSize).toBe(4);
  });

  it('says MALFORMED wherever it is cut', () => {
    const { bytes } = records[0]!;
    const spsEnd = 8 + 26;
    for (let end = 0; end < spsEnd; end++)
      expect(() => parseAvcConfig(bytes.subarray(0, end)), `cut at ${end}`).toThrow(
        expect.objectContaining({ code: 'MALFORMED' }),
      );
  });

  it('refuses another NAL unit in the place of the SPS', () => {
    expect(() => parseSps(fromHex('68 ebe3cb22c0'))).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
  });
});

describe('NAL unit lengths', () => {
  const units = [
    { size: 1, bytes: fromHex('02 65aa 01 41') },
    { size: 2, bytes: fromHex('0002 65aa 0001 41') },
    { size: 4, bytes: fromHex('00000002 65aa 00000001 41') },
  ];
  it.each(units)('of $size bytes become 4', ({ size, bytes }) => {
    expect(toFourByteLengths(bytes, size)).toEqual(fromHex('00000002 65aa 00000001 41'));
  });

  it('that point outside are MALFORMED', () => {
    expect(() => toFourByteLengths(fromHex('00000003 65aa'), 4)).toThrow(
      expect.objectContaining({ code: 'MALFORMED' }),
    );
  });

  it('are announced in the record', () => {
    expect(withFourByteLengths(fromHex('01 64001e fc e1'))).toEqual(fromHex('01 64001e ff e1'));
  });

  it('tell an IDR picture from another', () => {
    expect(hasIdr(fromHex('00000002 09f0 00000001 65'))).toBe(true);
    expect(hasIdr(fromHex('00000002 09f0 00000001 41'))).toBe(false);
  });
});

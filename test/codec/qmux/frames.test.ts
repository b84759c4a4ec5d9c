import { describe, expect, it } from 'vitest';
import { decodeRecord, encodeDatagramHeader, encodeFrame, encodeStreamHeader } from '../../../src/codec/qmux/frames.ts';
import { QmuxError } from '../../../src/codec/qmux/qmux-error.ts';
import { concat, fromHex, hex } from '../../../src/core/bytes.ts';
import { broken, plain, readOnly, written } from './wire.ts';

describe('QMux frames', () => {
  it.each([...written, ...readOnly])('reads $name', ({ hex: text, frame }) => {
    expect(decodeRecord(fromHex(plain(text)))).toEqual([frame]);
  });

  it.each(written)('writes $name', ({ hex: text, frame }) => {
    expect(hex(encodeFrame(frame))).toBe(hex(fromHex(plain(text))));
  });

  it('writes headers of streams and datagrams', () => {
    expect(hex(encodeStreamHeader(6, 16_384, 3, true))).toBe('0f068000400003');
    expect(hex(encodeStreamHeader(6, 0, 100, false))).toBe('0e06004064');
    expect(hex(encodeDatagramHeader(100))).toBe('314064');
  });

  it('reads a record of several frames with padding between, and an empty one', () => {
    const whole = concat([
      Uint8Array.of(0, 0),
      ...written.map(({ hex: text }) => fromHex(plain(text))),
      Uint8Array.of(0, 0, 0),
    ]);
    expect(decodeRecord(whole)).toEqual(written.map(({ frame }) => frame));
    expect(decodeRecord(new Uint8Array(0))).toEqual([]);
  });

  it.each(broken)('refuses $name', ({ hex: text, closeCode }) => {
    const error = (() => {
      try {
        return decodeRecord(fromHex(plain(text)));
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toBeInstanceOf(QmuxError);
    expect(error).toMatchObject({ closeCode });
  });

  it('skips parameters it does not know, even twice', () => {
    const [frame] = decodeRecord(fromHex('ff5153300d0a0d0a 08 1b 01 00 1b 00 04 01 07'));
    expect(frame).toMatchObject({ type: 'parameters', parameters: { initialMaxData: 7, maxRecordSize: 16_382 } });
  });
});

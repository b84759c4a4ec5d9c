import { describe, expect, it } from 'vitest';
import { bytesOf } from '../../../fixtures/wire/annotated.ts';
import { controlCases, controlViolations } from '../../../fixtures/wire/moqt-18/control.ts';
import { draft18 } from '../../../src/codec/moqt/draft18/draft18.ts';
import { decodeName, encodeName } from '../../../src/codec/moqt/fields/track-name.ts';
import { concat, fromHex, hex } from '../../../src/core/bytes.ts';

describe('control messages', () => {
  it.each(controlCases)('decodes $name', ({ bytes, value }) => {
    const decoder = draft18.controlDecoder();
    expect(decoder.push(bytesOf(bytes))).toEqual([value]);
    expect(decoder.idle).toBe(true);
  });

  it.each(controlCases)('encodes $name', ({ bytes, value }) => {
    expect(hex(draft18.encodeMessage(value))).toBe(hex(bytesOf(bytes)));
  });

  it('decodes a stream of all of them, byte by byte', () => {
    const decoder = draft18.controlDecoder();
    const all = concat(controlCases.map(({ bytes }) => bytesOf(bytes)));
    const messages = [...all].flatMap((byte) => decoder.push(Uint8Array.of(byte)));
    expect(messages).toEqual(controlCases.map(({ value }) => value));
  });

  it.each(controlViolations)('refuses: $name', ({ bytes, code }) => {
    expect(() => draft18.controlDecoder().push(bytesOf(bytes))).toThrow(expect.objectContaining({ sessionCode: code }));
  });

  it('does not wait for the rest of a message it does not know', () => {
    expect(() => draft18.controlDecoder().push(Uint8Array.of(0x3f))).toThrow('unknown message type 0x3f');
  });

  it('ignores setup options it does not know', () => {
    const bytes = Uint8Array.of(0xaf, 0x00, 0x00, 0x07, 0x07, 0x01, 0x78, 0x80, 0x96, 0x01, 0x02);
    expect(draft18.controlDecoder().push(bytes)).toEqual([{ type: 'setup', implementation: 'x' }]);
  });

  it('reads PUBLISH_OK by its old code point', () => {
    expect(draft18.controlDecoder().push(Uint8Array.of(0x1e, 0, 1, 0))).toEqual([
      { type: 'requestOk', parameters: {}, trackProperties: new Uint8Array(0) },
    ]);
  });

  it.each([
    ['OBJECT_DELIVERY_TIMEOUT', '03 000e 00 00 00 01 02 ffffffffffffffffff', { objectDeliveryTimeoutMs: 2 ** 53 - 1 }],
    [
      'the end of a range',
      '03 0012 00 00 00 01 21 0c 04 07 00 ffffffffffffffff00',
      {
        subscriptionFilter: {
          type: 'absoluteRange',
          start: { group: 7, object: 0 },
          endGroup: 2 ** 53 - 1,
        },
      },
    ],
  ])('takes %s for 2^53-1 where it is more', (_, bytes, parameters) => {
    expect(draft18.controlDecoder().push(fromHex(bytes.replaceAll(' ', '')))).toMatchObject([{ parameters }]);
  });

  it('cuts a long reason between characters', () => {
    const [message] = draft18
      .controlDecoder()
      .push(draft18.encodeMessage({ type: 'publishDone', status: 0, streamCount: 0, reason: `a${'é'.repeat(600)}` }));
    expect(message).toMatchObject({ reason: `a${'é'.repeat(511)}` });
  });

  it.each([
    { name: 'empty namespace field', namespace: [''] },
    { name: '33 fields', namespace: Array.from({ length: 33 }, () => 'x') },
    { name: 'over 4096 bytes', namespace: ['x'.repeat(4097)] },
  ])('does not send a namespace with $name', ({ namespace }) => {
    const message = { type: 'publishNamespace', requestId: 0, namespace, parameters: {} } as const;
    expect(() => draft18.encodeMessage(message)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe('names', () => {
  it.each(['00ff80', 'efbbbf61', 'c3a9', '61', '', 'eda080', 'f09f9880', 'edb280'])(
    '%s comes back as it was',
    (bytes) => {
      const raw = Uint8Array.from(bytes.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
      expect(hex(encodeName(decodeName(raw)))).toBe(bytes);
    },
  );
});

import { describe, expect, it } from 'vitest';
import { bytesOf } from '../../../fixtures/wire/annotated.ts';
import { controlCases, controlViolations } from '../../../fixtures/wire/moqt-16/control.ts';
import { draft16 } from '../../../src/codec/moqt/draft16/draft16.ts';
import { concat, hex } from '../../../src/core/bytes.ts';

describe('control messages of draft-16', () => {
  it.each(controlCases)('decodes $name', ({ bytes, value }) => {
    const decoder = draft16.controlDecoder();
    expect(decoder.push(bytesOf(bytes))).toEqual([value]);
    expect(decoder.idle).toBe(true);
  });

  it.each(controlCases)('encodes $name', ({ bytes, value }) => {
    expect(hex(draft16.encodeMessage(value))).toBe(hex(bytesOf(bytes)));
  });

  it('decodes a stream of all of them, byte by byte', () => {
    const decoder = draft16.controlDecoder();
    const all = concat(controlCases.map(({ bytes }) => bytesOf(bytes)));
    const messages = [...all].flatMap((byte) => decoder.push(Uint8Array.of(byte)));
    expect(messages).toEqual(controlCases.map(({ value }) => value));
  });

  it.each(controlViolations)('refuses: $name', ({ bytes, code }) => {
    expect(() => draft16.controlDecoder().push(bytesOf(bytes))).toThrow(expect.objectContaining({ sessionCode: code }));
  });

  it('takes GROUP_ORDER 0, as Shaka Player says it, for none', () => {
    const bytes = Uint8Array.of(0x03, 0, 9, 0, 1, 1, 0x61, 1, 0x76, 1, 0x22, 0);
    expect(draft16.controlDecoder().push(bytes)).toMatchObject([{ type: 'subscribe', parameters: {} }]);
  });

  it('ignores parameters that are out of place', () => {
    const bytes = Uint8Array.of(0x04, 0, 6, 1, 0, 1, 0x02, 0x53, 0x88);
    expect(draft16.controlDecoder().push(bytes)).toMatchObject([{ type: 'subscribeOk', parameters: {} }]);
  });

  it('leaves out what draft-16 has no word for', () => {
    const parameters = { rendezvousTimeoutMs: 5, subgroupDeliveryTimeoutMs: 6, objectDeliveryTimeoutMs: 0 };
    const message = { type: 'subscribe', requestId: 0, track: { namespace: ['a'], name: 'b' }, parameters } as const;
    const [back] = draft16.controlDecoder().push(draft16.encodeMessage(message));
    expect(back).toEqual({ ...message, parameters: {} });
  });

  it('does not say that a track has no DELIVERY_TIMEOUT by 0', () => {
    const answer = { type: 'subscribeOk', requestId: 1, trackAlias: 2, parameters: {} } as const;
    const encoded = draft16.encodeMessage({ ...answer, trackProperties: Uint8Array.of(0x02, 0, 0x02, 5) });
    expect(hex(encoded)).toBe('040005010200' + '0405');
    const bounded = Uint8Array.of(0x15, 0, 8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff);
    expect(draft16.controlDecoder().push(bounded)).toEqual([{ type: 'maxRequestId', max: Number.MAX_SAFE_INTEGER }]);
  });

  it('says reasons that draft-16 does not know as INTERNAL_ERROR', () => {
    const message = { type: 'requestError', requestId: 0, code: 0x9, reason: 'busy', retryMs: 5 } as const;
    const [back] = draft16.controlDecoder().push(draft16.encodeMessage(message));
    expect(back).toEqual({ ...message, code: 0 });
  });
});

import { describe, expect, it } from 'vitest';
import { bytesOf } from '../../../fixtures/wire/annotated.ts';
import { controlCases, controlViolations } from '../../../fixtures/wire/moqt-14/control.ts';
import { draft14 } from '../../../src/codec/moqt/draft14/draft14.ts';
import { concat, hex } from '../../../src/core/bytes.ts';

const decoded = (...bytes: number[]) => draft14.controlDecoder().push(Uint8Array.from(bytes));

describe('control messages of draft-14', () => {
  it.each(controlCases)('decodes $name', ({ bytes, value }) => {
    const decoder = draft14.controlDecoder();
    expect(decoder.push(bytesOf(bytes))).toEqual([value]);
    expect(decoder.idle).toBe(true);
  });

  it.each(controlCases)('encodes $name', ({ bytes, value }) => {
    expect(hex(draft14.encodeMessage(value))).toBe(hex(bytesOf(bytes)));
  });

  it('decodes a stream of all of them, byte by byte', () => {
    const decoder = draft14.controlDecoder();
    const all = concat(controlCases.map(({ bytes }) => bytesOf(bytes)));
    const messages = [...all].flatMap((byte) => decoder.push(Uint8Array.of(byte)));
    expect(messages).toEqual(controlCases.map(({ value }) => value));
  });

  it.each(controlViolations)('refuses: $name', ({ bytes, code }) => {
    expect(() => draft14.controlDecoder().push(bytesOf(bytes))).toThrow(expect.objectContaining({ sessionCode: code }));
  });

  it('finds its version among others', () => {
    const versions = [3, 0xc0, 0, 0, 0, 0xff, 0, 0, 0x0d, 0xc0, 0, 0, 0, 0xff, 0, 0, 0x0e, 1];
    expect(decoded(0x20, 0, versions.length + 1, ...versions, 0)).toEqual([{ type: 'clientSetup' }]);
  });

  it('takes AUTHORITY of a server for its implementation, as both have one number', () => {
    expect(decoded(0x21, 0, 12, 0xc0, 0, 0, 0, 0xff, 0, 0, 0x0e, 1, 5, 1, 0x78)).toEqual([{ type: 'serverSetup' }]);
  });

  it('ignores unknown parameters, even twice', () => {
    const bytes = [0x04, 0, 10, 0, 1, 0, 1, 0, 2, 0x10, 1, 0x10, 2];
    expect(decoded(...bytes)).toMatchObject([{ type: 'subscribeOk', parameters: {} }]);
  });

  it('reads what later has no name as what comes nearest', () => {
    expect(decoded(0x19, 0, 3, 0, 6, 0)).toMatchObject([{ type: 'requestError', code: 0x11 }]);
    expect(decoded(0x19, 0, 3, 0, 8, 0)).toMatchObject([{ type: 'requestError', code: 0x0 }]);
    expect(decoded(0x05, 0, 3, 0, 0x3f, 0)).toMatchObject([{ type: 'requestError', code: 0x0 }]);
  });

  it('says everything that may be left unsaid above', () => {
    const message = {
      type: 'subscribe',
      requestId: 0,
      track: { namespace: ['a'], name: 'b' },
      parameters: {},
    } as const;
    const parameters = { subscriberPriority: 128, forward: true, subscriptionFilter: { type: 'unfiltered' } };
    expect(draft14.controlDecoder().push(draft14.encodeMessage(message))).toEqual([{ ...message, parameters }]);
  });

  it('refuses an update that leaves something out', () => {
    const update = {
      type: 'requestUpdate',
      requestId: 0,
      existingRequestId: 2,
      parameters: { forward: true },
    } as const;
    expect(() => draft14.encodeMessage(update)).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
  });
});

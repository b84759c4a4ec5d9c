import { describe, expect, it } from 'vitest';
import { bytesOf } from '../../../fixtures/wire/annotated.ts';
import * as of18 from '../../../fixtures/wire/moqt-18/control.ts';
import { controlCases, controlViolations } from '../../../fixtures/wire/moqt-19/control.ts';
import { draft19 } from '../../../src/codec/moqt/draft19.ts';
import { hex } from '../../../src/core/bytes.ts';

/** What draft-19 has no longer. */
const gone = new Set(['GOAWAY with a request id']);
const unchanged = of18.controlCases.filter(
  ({ value, name }) =>
    !gone.has(name) &&
    !(value.type === 'goaway' && value.requestId !== undefined) &&
    !(value.type === 'requestOk' && value.parameters.groupOrder !== undefined),
);

describe('control messages of draft-19', () => {
  it.each([...controlCases, ...unchanged])('decodes $name', ({ bytes, value }) => {
    const decoder = draft19.controlDecoder();
    expect(decoder.push(bytesOf(bytes))).toEqual([value]);
    expect(decoder.idle).toBe(true);
  });

  it.each([...controlCases, ...unchanged])('encodes $name', ({ bytes, value }) => {
    expect(hex(draft19.encodeMessage(value))).toBe(hex(bytesOf(bytes)));
  });

  it.each(controlViolations)('refuses: $name', ({ bytes, code }) => {
    expect(() => draft19.controlDecoder().push(bytesOf(bytes))).toThrow(expect.objectContaining({ sessionCode: code }));
  });

  it('tells only that there are range filters', () => {
    const bytes = Uint8Array.of(0x03, 0, 10, 0, 1, 1, 0x61, 1, 0x62, 1, 0x25, 1, 0);
    expect(draft19.controlDecoder().push(bytes)).toMatchObject([{ parameters: { rangeFilters: true } }]);
  });

  it('says DUPLICATE_SUBSCRIPTION, which is gone, as NOT_SUPPORTED', () => {
    const message = { type: 'requestError', code: 0x19, reason: '' } as const;
    expect(draft19.controlDecoder().push(draft19.encodeMessage(message))).toEqual([{ ...message, code: 0x3 }]);
  });
});

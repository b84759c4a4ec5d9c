import { describe, expect, it } from 'vitest';
import { bytesOf } from '../../../fixtures/wire/annotated.ts';
import * as of18 from '../../../fixtures/wire/moqt-18/control.ts';
import { controlCases, controlViolations, invalidFilters } from '../../../fixtures/wire/moqt-19/control.ts';
import { draft19 } from '../../../src/codec/moqt/draft19/draft19.ts';
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

  it.each(invalidFilters)('leaves it to the request to refuse $name', ({ bytes }) => {
    const [message] = draft19.controlDecoder().push(bytesOf(bytes));
    expect(message).toMatchObject({ type: 'subscribe', parameters: { invalidFilter: expect.any(String) } });
  });

  it('takes no more filters of one kind than anybody may have', () => {
    const filters = Array.from({ length: 600 }, () => [0x00, 2, 1, 0]).flat();
    const body = [0, 1, 1, 0x61, 1, 0x62, 0x82, 0x58, 0x25, ...filters.slice(1)];
    const bytes = Uint8Array.from([0x03, body.length >> 8, body.length & 0xff, ...body]);
    const [message] = draft19.controlDecoder().push(bytes);
    expect(message).toMatchObject({ parameters: { rangeFilters: { subgroup: [{ set: 1 }] } } });
    expect(message).toHaveProperty('parameters.invalidFilter');
  });

  it.each([
    { name: 'ranges that overlap', sets: [{ set: 0, ranges: [{ start: 1n, end: 5n }, { start: 4n }] }] },
    { name: 'a range that ends first', sets: [{ set: 0, ranges: [{ start: 5n, end: 4n }] }] },
    { name: 'a range behind one without an end', sets: [{ set: 0, ranges: [{ start: 5n }, { start: 9n }] }] },
    { name: 'a set above 255', sets: [{ set: 256, ranges: [] }] },
  ])('does not write $name', ({ sets }) => {
    const track = { namespace: ['a'], name: 'v' };
    const message = { type: 'subscribe', requestId: 2, track, parameters: { rangeFilters: { object: sets } } } as const;
    expect(() => draft19.encodeMessage(message)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });

  it('says DUPLICATE_SUBSCRIPTION, which is gone, as NOT_SUPPORTED', () => {
    const message = { type: 'requestError', code: 0x19, reason: '' } as const;
    expect(draft19.controlDecoder().push(draft19.encodeMessage(message))).toEqual([{ ...message, code: 0x3 }]);
  });
});

import { describe, expect, it } from 'vitest';
import { bytesOf } from '../../../fixtures/wire/annotated.ts';
import { controlCases, controlViolations } from '../../../fixtures/wire/moqt-20/control.ts';
import type { Dialect } from '../../../src/codec/moqt/dialect.ts';
import { draft20, draft21, draft22 } from '../../../src/codec/moqt/draft20/draft20.ts';
import { countedForm, typedForm } from '../../../src/codec/moqt/draft20/location-filter.ts';
import { vi64 } from '../../../src/codec/moqt/varint.ts';
import { WireReader } from '../../../src/codec/moqt/wire.ts';
import { hex } from '../../../src/core/bytes.ts';

const cases = [draft20, draft21, draft22].flatMap((dialect) =>
  controlCases.map(({ bytes, in22 = bytes, ...rest }) => {
    const wire = bytesOf(dialect.version === 'moqt-22' ? in22 : bytes);
    return { ...rest, wire, dialect, version: dialect.version };
  }),
);
const decoded = (dialect: Dialect, bytes: readonly number[]) => dialect.controlDecoder().push(Uint8Array.from(bytes));

describe('control messages of draft-20 and later', () => {
  it.each(cases)('decodes $name in $version', ({ dialect, wire, value }) => {
    const decoder = dialect.controlDecoder();
    expect(decoder.push(wire)).toEqual([value]);
    expect(decoder.idle).toBe(true);
  });

  it.each(cases)('encodes $name in $version', ({ dialect, wire, value }) => {
    expect(hex(dialect.encodeMessage(value))).toBe(hex(wire));
  });

  it.each(controlViolations)('refuses: $name', ({ bytes, code }) => {
    const run = () => draft20.controlDecoder().push(bytesOf(bytes));
    expect(run).toThrow(expect.objectContaining({ sessionCode: code }));
  });

  it('fetches a whole track where no range is said', () => {
    const [message] = decoded(draft20, [0x16, 0, 7, 4, 1, 1, 0x61, 1, 0x76, 0]);
    expect(message).toMatchObject({ range: { start: { group: 0, object: 0 }, end: { object: 0 } }, parameters: {} });
    expect(decoded(draft20, [...draft20.encodeMessage(message!)])).toEqual([message]);
  });

  it('reads ranges that refer to the largest object', () => {
    const relative = [0x16, 0, 10, 4, 1, 1, 0x61, 1, 0x76, 1, 0x21, 1, 2];
    const [fetch] = decoded(draft20, relative);
    expect(fetch).toMatchObject({ parameters: { locationFilter: { kind: 'relative', groups: 2 } } });
    for (const dialect of [draft20, draft22])
      expect(decoded(dialect, [...dialect.encodeMessage(fetch!)])).toEqual([fetch]);
    const nextObject = [0x16, 0, 11, 4, 1, 1, 0x61, 1, 0x76, 1, 0x21, 2, 0, 0];
    expect(decoded(draft20, nextObject)).toMatchObject([{ parameters: { locationFilter: { groups: 0 } } }]);
  });

  it('has no joining fetch', () => {
    const range = { kind: 'relativeJoining', joiningRequestId: 0, start: 1 } as const;
    const message = { type: 'fetch', requestId: 2, range, parameters: {} } as const;
    expect(() => draft20.encodeMessage(message)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
  });
});

describe('location filters', () => {
  it.each([
    { name: 'more than four fields', form: countedForm, bytes: [5, 0, 0, 0, 0, 0] },
    { name: 'a field across the end', form: countedForm, bytes: [2, 0, 0x80, 0] },
    {
      name: 'an end beyond all ids',
      form: countedForm,
      bytes: [11, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 1],
    },
    { name: 'an unknown type', form: typedForm, bytes: [6] },
  ])('are refused with $name', ({ form, bytes }) => {
    expect(() => form.read(new WireReader(Uint8Array.from(bytes), vi64))).toThrow(
      expect.objectContaining({ sessionCode: 0x3 }),
    );
  });
});

import { describe, expect, it } from 'vitest';
import { bytesOf } from '../../../fixtures/wire/annotated.ts';
import { object, subgroupCases, subgroupViolations } from '../../../fixtures/wire/moqt-18/objects.ts';
import { draft18 } from '../../../src/codec/moqt/draft18/draft18.ts';
import type { MoqObject } from '../../../src/codec/moqt/model.ts';
import { concat, hex } from '../../../src/core/bytes.ts';

describe('subgroup streams', () => {
  it.each(subgroupCases)('decodes $name', ({ bytes, header, subgroupId, objects }) => {
    const decoder = draft18.subgroupDecoder();
    expect(decoder.push(bytesOf(bytes))).toEqual(objects);
    expect(decoder.header).toEqual(header);
    expect(decoder.subgroupId).toBe(subgroupId);
    decoder.finish();
  });

  it.each(subgroupCases)('decodes $name byte by byte', ({ bytes, subgroupId, objects }) => {
    const decoder = draft18.subgroupDecoder();
    expect([...bytesOf(bytes)].flatMap((byte) => decoder.push(Uint8Array.of(byte)))).toEqual(objects);
    expect(decoder.subgroupId).toBe(subgroupId);
    decoder.finish();
  });

  it.each(subgroupCases)('encodes $name', ({ bytes, header, objects }) => {
    let previous: number | undefined;
    const parts = [draft18.encodeSubgroupHeader(header)];
    for (const item of objects) {
      parts.push(draft18.encodeObject(previous, item, header.properties));
      previous = item.objectId;
    }
    expect(hex(concat(parts))).toBe(hex(bytesOf(bytes)));
  });

  it('takes every valid header type and no other', () => {
    for (let type = 0; type < 0x80; type++) {
      const valid = (type & 0x10) !== 0 && (type & 0x06) !== 0x06;
      const decoder = draft18.subgroupDecoder();
      const push = () => decoder.push(Uint8Array.of(type, 1, 2, 3, 4, 0, 0, 0));
      if (valid) push();
      else expect(push).toThrow(expect.objectContaining({ sessionCode: 0x3 }));
      expect(decoder.header !== undefined).toBe(valid);
      if (decoder.header !== undefined) expect(draft18.encodeSubgroupHeader(decoder.header)[0]).toBe(type);
    }
  });

  it.each(subgroupViolations)('refuses: $name', ({ bytes, code, atEnd }) => {
    const decoder = draft18.subgroupDecoder();
    const push = () => decoder.push(bytesOf(bytes));
    if (atEnd === true) push();
    expect(atEnd === true ? () => decoder.finish() : push).toThrow(expect.objectContaining({ sessionCode: code }));
  });

  it('joins a payload that comes in pieces', () => {
    const payload = Uint8Array.from({ length: 100_000 }, (_, i) => i % 251);
    const bytes = concat([
      draft18.encodeSubgroupHeader({
        trackAlias: 1,
        groupId: 1,
        subgroupId: 0,
        endOfGroup: false,
        properties: false,
        firstObject: false,
      }),
      draft18.encodeObject(undefined, object(0, payload), false),
      draft18.encodeObject(0, object(1, payload), false),
    ]);
    const decoder = draft18.subgroupDecoder();
    const objects: MoqObject[] = [];
    for (let at = 0; at < bytes.length; at += 1337) objects.push(...decoder.push(bytes.subarray(at, at + 1337)));
    expect(objects.map(({ objectId }) => objectId)).toEqual([0, 1]);
    for (const item of objects) expect(Buffer.compare(item.payload, payload)).toBe(0);
  });

  it('does not copy a payload that came whole', () => {
    const chunk = concat([
      Uint8Array.of(0x30, 1, 1),
      draft18.encodeObject(undefined, object(0, new Uint8Array(99)), false),
    ]);
    const [whole] = draft18.subgroupDecoder().push(chunk);
    expect(whole!.payload.buffer).toBe(chunk.buffer);
  });

  it.each([
    { name: 'ids that go back', previous: 5, item: object(5, new Uint8Array(1)), withProperties: false },
    {
      name: 'payload on a status',
      previous: undefined,
      item: object(0, new Uint8Array(1), { status: 'endOfGroup' }),
      withProperties: false,
    },
    {
      name: 'properties where none were promised',
      previous: undefined,
      item: object(0, new Uint8Array(1), { properties: new Uint8Array(2) }),
      withProperties: false,
    },
  ] as const)('does not encode $name', ({ previous, item, withProperties }) => {
    expect(() => draft18.encodeObject(previous, item, withProperties)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});

describe('stream kinds', () => {
  it.each([
    [0x2f00, 'control'],
    [0x05, 'fetch'],
    [0x132b3e28, 'padding'],
    [0x14, 'subgroup'],
    [0x7d, 'subgroup'],
    [0x00, 'unknown'],
    [0x90, 'unknown'],
    [0x2f01, 'unknown'],
  ] as const)('0x%s is %s', (type, kind) => {
    expect(draft18.streamKind(type)).toBe(kind);
  });
});

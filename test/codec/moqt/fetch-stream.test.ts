import { describe, expect, it } from 'vitest';
import type { FetchItem } from '../../../src/codec/moqt/data/fetch-stream.ts';
import { draft18 } from '../../../src/codec/moqt/draft18/draft18.ts';
import { concat, fromHex, hex, utf8 } from '../../../src/core/bytes.ts';

const object = (
  groupId: number,
  objectId: number,
  more: { subgroupId?: number | undefined; priority?: number; text?: string; properties?: Uint8Array } = {},
): FetchItem => ({
  kind: 'object',
  groupId,
  subgroupId: 'subgroupId' in more ? more.subgroupId : 0,
  priority: more.priority ?? 2,
  object: { objectId, status: 'normal', properties: more.properties, payload: utf8(more.text ?? '') },
});
const marker = (groupId: number, objectId: number, unknown: boolean): FetchItem => ({
  kind: 'endOfRange',
  unknown,
  groupId,
  objectId,
});

type Case = { name: string; order?: 'ascending' | 'descending'; items: FetchItem[]; bytes: string[] };

/** draft-18 11.4.4, by hand: flags, then the fields they announce. */
const cases: Case[] = [
  { name: 'first object', items: [object(5, 3, { text: 'ab' })], bytes: ['1c 05 03 02 02 6162'] },
  {
    name: 'next object of the same subgroup',
    items: [object(5, 3), object(5, 4, { text: 'a' })],
    bytes: ['1c 05 03 02 00', '00 01 61'],
  },
  {
    name: 'a gap is a difference of ids',
    items: [object(5, 3), object(5, 7)],
    bytes: ['1c 05 03 02 00', '04 04 00'],
  },
  {
    name: 'subgroups: present, prior, prior plus one, zero',
    items: [3, 3, 4, 0].map((subgroupId, i) => object(1, i, { subgroupId })),
    bytes: ['1f 01 03 00 02 00', '01 00', '02 00', '00 00'],
  },
  {
    name: 'a later group, with another priority and properties',
    items: [object(1, 9), object(4, 0, { priority: 7, properties: Uint8Array.of(2, 5) })],
    bytes: ['1c 01 09 02 00', '3c 02 00 07 02 0205 00'],
  },
  {
    name: 'descending',
    order: 'descending',
    items: [object(4, 0), object(2, 1)],
    bytes: ['1c 04 00 02 00', '0c 01 01 00'],
  },
  {
    name: 'datagrams have no subgroup, and leave the one before',
    items: [object(1, 0, { subgroupId: 6 }), object(1, 1, { subgroupId: undefined }), object(1, 2, { subgroupId: 6 })],
    bytes: ['1f 01 06 00 02 00', '40 00', '01 00'],
  },
  {
    name: 'end of range, whose location counts as the one before',
    items: [object(1, 0), marker(1, 5, false), object(1, 6), marker(3, 2, true), object(4, 0)],
    bytes: ['1c 01 00 02 00', '808c 01 05', '00 00', '810c 03 02', '0c 00 00 00'],
  },
];

describe('FETCH streams', () => {
  it.each(cases)('$name', ({ order = 'ascending', items, bytes }) => {
    const encoder = draft18.fetchEncoder(order);
    const expected = bytes.map((part) => part.replaceAll(' ', ''));
    expect(items.map((item) => hex(encoder.encode(item)))).toEqual(expected);
    const whole = fromHex(expected.join(''));
    const decoder = draft18.fetchDecoder(order);
    expect(decoder.push(whole)).toEqual(items);
    decoder.finish();
    const slow = draft18.fetchDecoder(order);
    expect([...whole].flatMap((byte) => slow.push(Uint8Array.of(byte)))).toEqual(items);
    slow.finish();
  });

  it.each([
    ['flags of another draft', '808d'],
    ['the first object without a group', '1405'],
    ['the first object without an object id', '18 05 02 00'],
    ['the first object without a priority', '0c 05 03 00'],
    ['the first object in the subgroup of none', '1d 05 03 02 00'],
    ['an object id that does not ascend', '1c 05 03 02 00 04 00 00'],
    ['a group below zero', '1c 00 00 02 00 0c 00 00 00'],
    ['a marker that goes back', '1c 05 03 02 00 808c 05 03'],
    ['a subgroup after a marker only', '808c 05 03 15 01 02 00'],
  ])('refuses %s', (_, bytes) => {
    const decoder = draft18.fetchDecoder(bytes.includes('0c 00 00 00') ? 'descending' : 'ascending');
    const push = () => {
      decoder.push(fromHex(bytes.replaceAll(' ', '')));
      decoder.finish();
    };
    expect(push).toThrow(expect.objectContaining({ sessionCode: 0x3 }));
  });

  it('ends within an object: a violation', () => {
    const decoder = draft18.fetchDecoder('ascending');
    decoder.push(fromHex('1c0503020461'));
    expect(() => decoder.finish()).toThrow(expect.objectContaining({ sessionCode: 0x3 }));
  });

  it('bounds an object', () => {
    const decoder = draft18.fetchDecoder('ascending', { maxObjectBytes: 3 });
    expect(() => decoder.push(fromHex('1c05030204'))).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }));
  });

  it('does not encode what cannot be said', () => {
    const encoder = draft18.fetchEncoder('ascending');
    encoder.encode(object(5, 3));
    expect(() => encoder.encode(object(4, 0))).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    const status = object(6, 0) as Extract<FetchItem, { kind: 'object' }>;
    const end: FetchItem = { ...status, object: { ...status.object, status: 'endOfGroup' } };
    expect(() => encoder.encode(end)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });

  it('has a header of type and request id', () => {
    expect(hex(concat([draft18.encodeFetchHeader(6)]))).toBe('0506');
  });
});

import { describe, expect, it } from 'vitest';
import { bytesOf } from '../../../fixtures/wire/annotated.ts';
import { datagramCases, fetchCases } from '../../../fixtures/wire/moqt-14/objects.ts';
import { draft14 } from '../../../src/codec/moqt/draft14/draft14.ts';
import { concat, hex, utf8 } from '../../../src/core/bytes.ts';

const header = { trackAlias: 1, groupId: 2, subgroupId: 0, endOfGroup: false, properties: false, firstObject: true };

describe('FETCH streams of draft-14', () => {
  it.each(fetchCases)('decode and encode $name', ({ items, bytes }) => {
    const wire = bytesOf(bytes);
    const decoder = draft14.fetchDecoder('ascending');
    expect(decoder.push(wire)).toEqual(items);
    decoder.finish();
    const encoder = draft14.fetchEncoder('ascending');
    expect(hex(concat(items.map((item) => encoder.encode(item))))).toBe(hex(wire));
  });

  it('come in chunks of any size', () => {
    const wire = concat(fetchCases.map(({ bytes }) => bytesOf(bytes)));
    const decoder = draft14.fetchDecoder('ascending');
    const items = [...wire].flatMap((byte) => decoder.push(Uint8Array.of(byte)));
    expect(items).toEqual(fetchCases.flatMap((one) => one.items));
  });

  it('end between objects, and bound their size', () => {
    const decoder = draft14.fetchDecoder('ascending', { maxObjectBytes: 4 });
    decoder.push(Uint8Array.of(1, 0));
    expect(() => decoder.finish()).toThrow(expect.objectContaining({ sessionCode: 0x3 }));
    const large = Uint8Array.of(1, 0, 0, 128, 0, 5);
    expect(() => draft14.fetchDecoder('ascending', { maxObjectBytes: 4 }).push(large)).toThrow(
      expect.objectContaining({ code: 'LIMIT_EXCEEDED' }),
    );
  });

  it('cannot say that nobody knows', () => {
    const item = { kind: 'endOfRange', unknown: true, groupId: 1, objectId: 1 } as const;
    expect(() => draft14.fetchEncoder('ascending').encode(item)).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED' }),
    );
  });

  it('tell a datagram by its object id as subgroup', () => {
    const object = { objectId: 7, status: 'normal', properties: undefined, payload: utf8('x') } as const;
    const item = { kind: 'object', groupId: 1, subgroupId: undefined, priority: 1, object } as const;
    expect(hex(draft14.fetchEncoder('ascending').encode(item))).toBe('0107070100' + '0178');
  });
});

describe('datagrams of draft-14', () => {
  it.each(datagramCases)('decode and encode $name', ({ value, bytes }) => {
    expect(draft14.decodeDatagram(bytesOf(bytes))).toEqual(value);
    expect(hex(draft14.encodeDatagram(value)!)).toBe(hex(bytesOf(bytes)));
  });

  it('that say of an object that it does not exist are left out', () => {
    expect(draft14.decodeDatagram(Uint8Array.of(0x20, 1, 2, 3, 128, 1))).toBeUndefined();
  });

  it.each([0x08, 0x22, 0x24, 0x2f, 0x30])('of type %i are none', (type) => {
    expect(() => draft14.decodeDatagram(Uint8Array.of(type, 1, 2, 3, 128, 1))).toThrow(
      expect.objectContaining({ sessionCode: 0x3 }),
    );
  });
});

describe('subgroups of draft-14', () => {
  it('always have a priority, and no first object mark', () => {
    expect(hex(draft14.encodeSubgroupHeader(header))).toBe('10' + '010280');
  });

  it.each([
    [0x10, 'subgroup'],
    [0x1d, 'subgroup'],
    [0x05, 'fetch'],
    [0x30, 'unknown'],
    [0x50, 'unknown'],
  ])('of type %i are %s', (type, kind) => expect(draft14.streamKind(type)).toBe(kind));

  it.each([
    ['subgroup', (bytes: number[]) => draft14.subgroupDecoder().push(Uint8Array.from([0x11, 1, 2, 128, 0, ...bytes]))],
    ['fetch', (bytes: number[]) => draft14.fetchDecoder('ascending').push(Uint8Array.from([1, 0, 2, 128, ...bytes]))],
    ['datagram', (bytes: number[]) => draft14.decodeDatagram(Uint8Array.from([0x21, 1, 2, 3, 128, ...bytes]))],
  ])('refuse extension headers of what does not exist (%s)', (kind, decode) => {
    const bytes = kind === 'datagram' ? [2, 0x3c, 1, 1] : [2, 0x3c, 1, 0, 1];
    expect(() => decode(bytes)).toThrow(expect.objectContaining({ sessionCode: 0x3 }));
  });

  it('leave out what does not exist, and what a status has of extension headers', () => {
    const decoder = draft14.subgroupDecoder();
    const objects = decoder.push(
      Uint8Array.of(0x11, 1, 2, 128, /* 0 */ 0, 0, 1, 0x61, /* 1 */ 0, 0, 0, 1, /* 3 */ 1, 2, 0x3c, 1, 0, 3),
    );
    expect(objects).toMatchObject([
      { objectId: 0, status: 'normal' },
      { objectId: 3, status: 'endOfGroup', properties: new Uint8Array(0) },
    ]);
  });
});

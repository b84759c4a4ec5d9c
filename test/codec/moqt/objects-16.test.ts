import { describe, expect, it } from 'vitest';
import type { FetchItem } from '../../../src/codec/moqt/data/fetch-stream.ts';
import { draft16 } from '../../../src/codec/moqt/draft16/draft16.ts';
import type { MoqObject } from '../../../src/codec/moqt/model.ts';
import { fromHex, hex, utf8 } from '../../../src/core/bytes.ts';

const object = (objectId: number, text: string, properties?: Uint8Array): MoqObject => ({
  objectId,
  status: 'normal',
  properties,
  payload: utf8(text),
});

// Type 0x0E = 128, then immutable properties (0x0B) would come first: 0x0B with an inner pair 0x0E = 128.
const draft18Properties = fromHex('0b 03 0e8080 03 8080');
const draft16Extensions = fromHex('0b 03 0e4080 03 4080');

describe('subgroups of draft-16', () => {
  const header = { trackAlias: 100, groupId: 3, subgroupId: 0, priority: 5, endOfGroup: true, properties: true };
  const bytes = hex(fromHex(`19 4064 03 05  00 08 ${hex(draft16Extensions)} 01 61  01 00 01 62`));

  it('has the integers of QUIC in headers, objects and extension headers, and no first object mark', () => {
    const written =
      hex(draft16.encodeSubgroupHeader({ ...header, firstObject: true })) +
      hex(draft16.encodeObject(undefined, object(0, 'a', draft18Properties), true)) +
      hex(draft16.encodeObject(0, object(2, 'b'), true));
    expect(written).toBe(bytes);
  });

  it('reads them, in any cut', () => {
    const decoder = draft16.subgroupDecoder();
    const objects = [...fromHex(bytes)].flatMap((byte) => decoder.push(Uint8Array.of(byte)));
    decoder.finish();
    expect(decoder.header).toEqual({ ...header, firstObject: false });
    expect(objects).toEqual([object(0, 'a', draft18Properties), object(2, 'b', new Uint8Array(0))]);
  });

  it('refuses extension headers that are no pairs', () => {
    const decoder = draft16.subgroupDecoder();
    expect(() => decoder.push(fromHex('19 00 03 05 00 02 0b 07 01 61'))).toThrow(
      expect.objectContaining({ sessionCode: 0x6 }),
    );
  });

  it.each([
    [0x05, 'fetch'],
    [0x10, 'subgroup'],
    [0x3d, 'subgroup'],
    [0x50, 'unknown'],
    [0x2f00, 'unknown'],
    [0x132b3e28, 'unknown'],
  ])('tells stream type 0x%x', (type, kind) => expect(draft16.streamKind(type)).toBe(kind));

  it('leaves out values that QUIC integers cannot hold', () => {
    const tooLarge = fromHex('02 ff ffffffffffffffff 0c 01');
    expect(hex(draft16.encodeObject(undefined, object(0, 'a', tooLarge), true))).toBe('00020e010161');
  });
});

describe('fetch streams of draft-16', () => {
  const item = (groupId: number, one: MoqObject): FetchItem => ({
    kind: 'object',
    groupId,
    subgroupId: 0,
    priority: 7,
    object: one,
  });
  const items: FetchItem[] = [
    item(5, object(2, 'a')),
    item(5, object(3, 'b', draft18Properties)),
    item(7, object(1, 'c')),
    { kind: 'endOfRange', unknown: true, groupId: 8, objectId: 4 },
    item(8, object(6, 'd')),
  ];
  const bytes = hex(
    fromHex(`1c 05 02 07 01 61  20 08 ${hex(draft16Extensions)} 01 62  0c 07 01 01 63  410c 08 04  1c 08 06 07 01 64`),
  );

  it('has absolute ids, and no reference across a marker', () => {
    const encoder = draft16.fetchEncoder('ascending');
    expect(items.map((one) => hex(encoder.encode(one))).join('')).toBe(bytes);
  });

  it('reads them, in any cut', () => {
    const decoder = draft16.fetchDecoder('ascending');
    expect([...fromHex(bytes)].flatMap((byte) => decoder.push(Uint8Array.of(byte)))).toEqual(items);
    decoder.finish();
  });

  it('reads descending groups', () => {
    const encoder = draft16.fetchEncoder('descending');
    const down = [item(9, object(0, 'a')), item(4, object(0, 'b'))];
    const decoder = draft16.fetchDecoder('descending');
    expect(down.flatMap((one) => decoder.push(encoder.encode(one)))).toEqual(down);
  });
});

describe('datagrams of draft-16', () => {
  it('carries extension headers in its own integers', () => {
    const datagram = { trackAlias: 200, groupId: 1, endOfGroup: false, object: object(0, 'x', draft18Properties) };
    const bytes = draft16.encodeDatagram(datagram);
    expect(hex(bytes)).toBe(hex(fromHex(`0d 40c8 01 08 ${hex(draft16Extensions)} 78`)));
    expect(draft16.decodeDatagram(bytes)).toEqual(datagram);
  });

  it('knows no padding', () => {
    expect(() => draft16.decodeDatagram(fromHex('932b3e29 00'))).toThrow(expect.objectContaining({ sessionCode: 0x3 }));
  });
});

import { describe, expect, it } from 'vitest';
import { bytesOf } from '../../../fixtures/wire/annotated.ts';
import { datagramCases, datagramViolations, object } from '../../../fixtures/wire/moqt-18/objects.ts';
import { draft18 } from '../../../src/codec/moqt/draft18/draft18.ts';
import { hex } from '../../../src/core/bytes.ts';

describe('object datagrams', () => {
  it.each(datagramCases)('decodes $name', ({ bytes, value }) => {
    expect(draft18.decodeDatagram(bytesOf(bytes))).toEqual(value);
  });

  it.each(datagramCases)('encodes $name', ({ bytes, value }) => {
    expect(hex(draft18.encodeDatagram(value))).toBe(hex(bytesOf(bytes)));
  });

  it.each(datagramViolations)('refuses: $name', ({ bytes }) => {
    expect(() => draft18.decodeDatagram(bytesOf(bytes))).toThrow(expect.objectContaining({ sessionCode: 0x3 }));
  });

  it('pads, and throws padding away', () => {
    const padding = Uint8Array.of(0xf0, 0x13, 0x2b, 0x3e, 0x29, 0, 0);
    expect(draft18.encodePaddingDatagram?.(2)).toEqual(padding);
    expect(draft18.decodeDatagram(padding)).toBeUndefined();
  });

  it('does not encode a status that ends the group', () => {
    const status = object(1, new Uint8Array(0), { status: 'endOfGroup' });
    const datagram = { trackAlias: 1, groupId: 1, endOfGroup: true, object: status };
    expect(() => draft18.encodeDatagram(datagram)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

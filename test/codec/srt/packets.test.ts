import { describe, expect, it } from 'vitest';
import { decodeAck, encodeAck } from '../../../src/codec/srt/ack.ts';
import { decodeCapabilities, decodeText, encodeCapabilities, encodeText } from '../../../src/codec/srt/extensions.ts';
import { decodeHandshake, encodeHandshake, type Handshake, handshakeType } from '../../../src/codec/srt/handshake.ts';
import { decodeKeyMaterial, encodeKeyMaterial } from '../../../src/codec/srt/key-material.ts';
import { decodeLossList, encodeLossList, lossRanges } from '../../../src/codec/srt/loss-list.ts';
import { decodePacket, encodeControl, encodeData } from '../../../src/codec/srt/packet.ts';
import { addSequence, sequenceDistance } from '../../../src/codec/srt/sequence.ts';
import { fromHex, hex } from '../../../src/core/bytes.ts';
import * as wire from './wire.ts';

const malformed = expect.objectContaining({ code: 'MALFORMED' });

describe('SRT packets', () => {
  it.each(wire.data)('$name', ({ bytes, value }) => {
    const { messageNumber, ...packet } = value;
    expect(decodePacket(fromHex(bytes))).toEqual({ kind: 'data', ...packet });
    expect(hex(encodeData(value))).toBe(hex(fromHex(bytes)));
  });

  it.each(wire.control)('$name', ({ bytes, value }) => {
    expect(decodePacket(fromHex(bytes))).toEqual({ kind: 'control', ...value });
    expect(hex(encodeControl(value))).toBe(hex(fromHex(bytes)));
  });

  it('are refused when the header is cut, or names two keys', () => {
    for (let end = 0; end < 16; end++) expect(() => decodePacket(new Uint8Array(end))).toThrow(malformed);
    expect(() => decodePacket(fromHex('00000001 f8000001 00000000 00000001'))).toThrow(malformed);
  });
});

describe('SRT handshakes', () => {
  it.each(wire.handshakes)('$name', ({ bytes, value }) => {
    expect(decodeHandshake(fromHex(bytes))).toEqual(value);
    expect(hex(encodeHandshake(value as Handshake))).toBe(hex(fromHex(bytes)));
  });

  it('are refused wherever they are cut', () => {
    const whole = fromHex(wire.handshakes[1]!.bytes);
    const ends = new Set([48, 64]);
    for (let end = 0; end < whole.length; end++)
      if (!ends.has(end)) expect(() => decodeHandshake(whole.subarray(0, end)), `cut at ${end}`).toThrow(malformed);
  });

  it('are refused with too many extensions', () => {
    const extensions = Array.from({ length: 9 }, () => ({ type: 1, content: new Uint8Array(0) }));
    const bytes = encodeHandshake({
      ...(wire.handshakes[0]!.value as Handshake),
      type: handshakeType.conclusion,
      version: 5,
      extensions,
    });
    expect(() => decodeHandshake(bytes)).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }));
  });

  it.each(wire.capabilities)('capabilities: $name', ({ bytes, value }) => {
    expect(decodeCapabilities(fromHex(bytes))).toEqual(value);
    expect(hex(encodeCapabilities(value))).toBe(hex(fromHex(bytes)));
  });

  it.each(wire.texts)('text "$value": words back to front', ({ bytes, value }) => {
    expect(decodeText(fromHex(bytes))).toBe(value);
    expect(hex(encodeText(value))).toBe(hex(fromHex(bytes)));
  });

  it('text is bounded, and is UTF-8', () => {
    expect(() => decodeText(new Uint8Array(516))).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }));
    expect(() => decodeText(fromHex('000000ff'))).toThrow(malformed);
  });

  it.each(wire.keyMaterials)('key material: $name', ({ bytes, value }) => {
    expect(decodeKeyMaterial(fromHex(bytes))).toEqual(value);
    expect(hex(encodeKeyMaterial(value))).toBe(hex(fromHex(bytes)));
    for (let end = 0; end < fromHex(bytes).length; end++)
      expect(() => decodeKeyMaterial(fromHex(bytes).subarray(0, end)), `cut at ${end}`).toThrow(malformed);
  });

  it('key material of another cipher is not supported', () => {
    const gcm = fromHex(wire.keyMaterials[0]!.bytes);
    gcm[8] = 3;
    expect(() => decodeKeyMaterial(gcm)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
  });
});

describe('SRT acknowledgements', () => {
  it.each(wire.acks)('$name', ({ bytes, value }) => {
    expect(decodeAck(fromHex(bytes))).toEqual(value);
    expect(hex(encodeAck(value))).toBe(hex(fromHex(bytes)));
  });

  it.each(wire.lossLists)('$name', ({ bytes, value }) => {
    expect(decodeLossList(fromHex(bytes))).toEqual(value);
    expect(hex(encodeLossList(value, 1456))).toBe(hex(fromHex(bytes)));
  });

  it('a loss list holds as many ranges as fit', () => {
    const ranges = Array.from({ length: 100 }, (_, i) => ({ first: i * 10, last: i * 10 + 1 }));
    expect(decodeLossList(encodeLossList(ranges, 80))).toEqual(ranges.slice(0, 10));
  });

  it('a loss list that runs backwards is refused', () => {
    expect(() => decodeLossList(fromHex('80000005 00000003'))).toThrow(malformed);
    expect(() => decodeLossList(fromHex('80000005'))).toThrow(malformed);
  });

  it('neighbours join to ranges, over the wrap too', () => {
    expect(lossRanges([0x7ffffffe, 0x7fffffff, 0, 2, 4, 5])).toEqual([
      { first: 0x7ffffffe, last: 0 },
      { first: 2, last: 2 },
      { first: 4, last: 5 },
    ]);
  });

  it('sequence numbers wrap at 31 bits', () => {
    expect(addSequence(0x7fffffff, 1)).toBe(0);
    expect(addSequence(0, -1)).toBe(0x7fffffff);
    expect(sequenceDistance(0x7fffffff, 0)).toBe(1);
    expect(sequenceDistance(0, 0x7fffffff)).toBe(-1);
    expect(sequenceDistance(5, 5)).toBe(0);
    expect(sequenceDistance(0, 0x3fffffff)).toBe(0x3fffffff);
  });
});

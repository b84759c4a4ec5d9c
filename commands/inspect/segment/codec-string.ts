import { findBox, readBoxes } from '../../../src/codec/cmaf/boxes.ts';
import { ByteReader } from '../../../src/core/bytes.ts';
import { type BoxNode, payloadOf } from './box-tree.ts';

/**
 * RFC 6381 codec strings of sample entries that only this command reads: HEVC (ISO 14496-15 E.3), AV1 (AV1-ISOBMFF 5),
 * VP9 (VP Codec ISO Media File Format). undefined for others, or where the configuration box is missing. Throws MALFORMED.
 */
export function codecStringOf(file: Uint8Array, entry: BoxNode): string | undefined {
  const make = { hvc1: hevc, hev1: hevc, av01: av1, vp09: vp9 }[entry.type];
  if (make === undefined) return undefined;
  const boxes = readBoxes(payloadOf(file, entry).subarray(78));
  const config = ['hvcC', 'av1C', 'vpcC'].map((type) => findBox(boxes, type)).find((box) => box !== undefined);
  return config === undefined ? undefined : make(entry.type, new ByteReader(config.payload));
}

function hevc(type: string, reader: ByteReader): string {
  reader.u8();
  const first = reader.u8();
  const space = ['', 'A', 'B', 'C'][first >> 6]!;
  const profile = first & 0x1f;
  // Written from the least significant bit on.
  let compatibility = 0;
  for (let bits = reader.u32(), i = 0; i < 32; i++, bits = Math.floor(bits / 2))
    compatibility = compatibility * 2 + (bits % 2);
  const constraints = [...reader.take(6)];
  while (constraints.length > 0 && constraints.at(-1) === 0) constraints.pop();
  const level = reader.u8();
  const parts = [
    type,
    `${space}${profile}`,
    compatibility.toString(16).toUpperCase(),
    `${first & 0x20 ? 'H' : 'L'}${level}`,
    ...constraints.map((byte) => byte.toString(16).toUpperCase()),
  ];
  return parts.join('.');
}

function av1(type: string, reader: ByteReader): string {
  reader.u8();
  const second = reader.u8();
  const third = reader.u8();
  const depth = third & 0x40 ? (third & 0x20 ? 12 : 10) : 8;
  return `${type}.${second >> 5}.${two(second & 0x1f)}${third & 0x80 ? 'H' : 'M'}.${two(depth)}`;
}

function vp9(type: string, reader: ByteReader): string {
  reader.take(4);
  const profile = reader.u8();
  const level = reader.u8();
  return `${type}.${two(profile)}.${two(level)}.${two(reader.u8() >> 4)}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

import { fourCc, readFullBox } from '../../../src/codec/cmaf/boxes.ts';
import type { ByteReader } from '../../../src/core/bytes.ts';
import { type BoxNode, payloadOf } from './box-tree.ts';

type Describe = (reader: ByteReader, version: number, flags: number) => string;

const time = (reader: ByteReader, version: number) => (version === 1 ? Number(reader.u64()) : reader.u32());
const skipTimes = (reader: ByteReader, version: number) => reader.take(version === 1 ? 16 : 8);

/** What of a FullBox is worth a line (ISO 14496-12, section 8). */
const describe: Record<string, Describe> = {
  mvhd: (reader, version) => {
    skipTimes(reader, version);
    return `timescale ${reader.u32()}, duration ${time(reader, version)}`;
  },
  mdhd: (reader, version) => {
    skipTimes(reader, version);
    return `timescale ${reader.u32()}, duration ${time(reader, version)}`;
  },
  tkhd: (reader, version) => {
    skipTimes(reader, version);
    return `track ${reader.u32()}`;
  },
  hdlr: (reader) => {
    reader.take(4);
    return fourCc(reader.take(4));
  },
  mehd: (reader, version) => `duration ${time(reader, version)}`,
  trex: (reader) => `track ${reader.u32()}`,
  mfhd: (reader) => `sequence ${reader.u32()}`,
  tfhd: (reader, _version, flags) =>
    `track ${reader.u32()}${flags & 0x02_0000 ? ', default-base-is-moof' : ''}${flags & 1 ? ', base-data-offset' : ''}`,
  tfdt: (reader, version) => `decode time ${time(reader, version)}`,
  trun: (reader) => `${reader.u32()} samples`,
  stts: (reader) => `${reader.u32()} entries`,
  stsz: (reader) => {
    reader.u32();
    return `${reader.u32()} samples`;
  },
  elst: (reader) => `${reader.u32()} edits`,
  stsd: (reader) => `${reader.u32()} entries`,
  sidx: (reader, version) => {
    const track = reader.u32();
    const timescale = reader.u32();
    reader.take(version === 0 ? 8 : 16);
    reader.take(2);
    return `track ${track}, timescale ${timescale}, ${(reader.u8() << 8) | reader.u8()} references`;
  },
};

/** One line on a box's content; undefined where there is nothing to say. Never throws. */
export function boxDetails(file: Uint8Array, node: BoxNode): string | undefined {
  const payload = payloadOf(file, node);
  try {
    if (node.type === 'ftyp' || node.type === 'styp') return brandsOf(payload).join(' ');
    const line = describe[node.type];
    if (line === undefined) return undefined;
    const { version, flags, reader } = readFullBox({ type: node.type, start: node.start, bytes: payload, payload });
    return line(reader, version, flags);
  } catch {
    return 'cut short';
  }
}

/** Major brand first, then the compatible ones. */
export function brandsOf(payload: Uint8Array): string[] {
  const brands: string[] = [];
  for (let at = 0; at + 4 <= payload.length && brands.length < 64; at += 4) {
    const brand = fourCc(payload.subarray(at, at + 4))
      .replace(/[^\x20-\x7e]/g, '?')
      .trimEnd();
    if (at !== 4 && !brands.includes(brand)) brands.push(brand);
  }
  return brands;
}

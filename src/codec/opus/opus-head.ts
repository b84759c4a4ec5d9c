import { ByteReader, ByteWriter, utf8 } from '../../core/bytes.ts';
import { StreamsError } from '../../core/errors.ts';

/** OpusHead (RFC 7845 5.1), read as far as we need it. */
export type OpusHead = {
  channels: number;
  /** Samples at 48 kHz to be left out at the beginning. */
  preSkip: number;
  /** Hertz of what was encoded; it is decoded at 48 kHz all the same. */
  inputSampleRate: number;
};

const magic = 0x4f707573_48656164n;

/** RFC 7845 5.1.1.2, by the number of channels: streams, coupled ones, and where each channel comes from. */
const layouts: readonly (readonly [streams: number, coupled: number, mapping: readonly number[]])[] = [
  [2, 1, [0, 2, 1]],
  [2, 2, [0, 1, 2, 3]],
  [3, 2, [0, 4, 1, 2, 3]],
  [4, 2, [0, 4, 1, 2, 3, 5]],
  [4, 3, [0, 4, 1, 2, 3, 5, 6]],
  [5, 3, [0, 6, 1, 2, 3, 4, 5, 7]],
];

/** Throws MALFORMED. */
export function parseOpusHead(bytes: Uint8Array): OpusHead {
  const reader = new ByteReader(bytes);
  if (reader.u64() !== magic || reader.u8() > 15) throw new StreamsError('MALFORMED', 'not an OpusHead');
  const channels = reader.u8();
  const preSkip = u16le(reader);
  const inputSampleRate = u16le(reader) + u16le(reader) * 0x10000;
  reader.u16();
  const family = reader.u8();
  if (channels === 0 || (family === 0 && channels > 2))
    throw new StreamsError('MALFORMED', `${channels} Opus channels`);
  if (family !== 0) reader.take(2 + channels);
  return { channels, preSkip, inputSampleRate };
}

/** Of a stream that does not bring one: one to eight channels. Throws UNSUPPORTED. */
export function writeOpusHead(channels: number): Uint8Array {
  const writer = new ByteWriter(32).bytes(utf8('OpusHead')).u8(1).u8(channels).u16(0);
  // 48 000 Hz, little-endian.
  writer.bytes(Uint8Array.of(0x80, 0xbb, 0, 0)).u16(0);
  if (channels === 1 || channels === 2) return writer.u8(0).finish();
  const layout = layouts[channels - 3];
  if (layout === undefined) throw new StreamsError('UNSUPPORTED', `${channels} Opus channels`);
  const [streams, coupled, mapping] = layout;
  return writer.u8(1).u8(streams).u8(coupled).bytes(Uint8Array.from(mapping)).finish();
}

/** OpusSpecificBox payload (Opus in ISOBMFF 4.3.2): the same fields, big-endian, version 0. Throws MALFORMED. */
export function opusHeadToDOps(head: Uint8Array): Uint8Array {
  const { channels, preSkip, inputSampleRate } = parseOpusHead(head);
  const writer = new ByteWriter(32).u8(0).u8(channels).u16(preSkip).u32(inputSampleRate);
  writer.u8(head[17]!).u8(head[16]!).u8(head[18]!);
  return (head[18] === 0 ? writer : writer.bytes(head.subarray(19, 21 + channels))).finish();
}

/** The other way. Throws MALFORMED. */
export function dOpsToOpusHead(dOps: Uint8Array): Uint8Array {
  const reader = new ByteReader(dOps);
  if (reader.u8() !== 0) throw new StreamsError('MALFORMED', 'dOps version');
  const channels = reader.u8();
  const fixed = reader.take(8);
  const family = reader.u8();
  const [skipHigh, skipLow, a, b, c, d, gainHigh, gainLow] = fixed as unknown as number[];
  const writer = new ByteWriter(32).bytes(utf8('OpusHead')).u8(1).u8(channels);
  writer.bytes(Uint8Array.of(skipLow!, skipHigh!, d!, c!, b!, a!, gainLow!, gainHigh!)).u8(family);
  const head = (family === 0 ? writer : writer.bytes(reader.take(2 + channels))).finish();
  parseOpusHead(head);
  return head;
}

function u16le(reader: ByteReader): number {
  return reader.u8() + reader.u8() * 256;
}

import { ByteReader, ByteWriter } from '../../core/bytes.ts';
import { StreamsError } from '../../core/errors.ts';
import type { AudioUnit, VideoUnit } from '../../core/media-unit.ts';
import { dOpsToOpusHead, opusHeadToDOps } from '../opus/opus-head.ts';
import { bareVpConfig } from '../vp9/vp-config.ts';
import { type Box, needBox, readBoxes, readFullBox, writeBox, writeFullBox } from './boxes.ts';
import { describeAudio, describeVideo } from './describe.ts';

/** Description of a coded track. */
export type VideoDescription = {
  kind: 'video';
  codec: VideoUnit['codec'];
  /** As in a VideoUnit. */
  config: Uint8Array;
  width: number;
  height: number;
};
export type AudioDescription = {
  kind: 'audio';
  codec: AudioUnit['codec'];
  /** As in an AudioUnit. */
  config: Uint8Array;
  sampleRate: number;
  channels: number;
};
export type TrackDescription = VideoDescription | AudioDescription;

/** Sample entry that we write, and the box of the configuration in it. */
const visualEntries: Readonly<Record<VideoUnit['codec'], readonly [entry: string, configBox: string]>> = {
  h264: ['avc1', 'avcC'],
  hevc: ['hvc1', 'hvcC'],
  av1: ['av01', 'av1C'],
  vp9: ['vp09', 'vpcC'],
  vp8: ['vp08', 'vpcC'],
};
/** Those that we read. */
const visualCodecs = new Map<string, VideoUnit['codec']>([
  ['avc1', 'h264'],
  ['avc3', 'h264'],
  ['hvc1', 'hevc'],
  ['hev1', 'hevc'],
  ['av01', 'av1'],
  ['vp09', 'vp9'],
  ['vp08', 'vp8'],
]);

/**
 * The one entry of stsd (ISO 14496-12 8.5.2; 14496-15 5.4.2 and 8.4.1, 14496-14 6.7, AV1-ISOBMFF 2.2, VP9-ISOBMFF, Opus in
 * ISOBMFF 4.3.1).
 */
export function writeSampleEntry(track: TrackDescription): Uint8Array {
  return track.kind === 'video' ? writeVisual(track) : writeAudio(track);
}

/** `codecString` is RFC 6381; `description` is undefined for sample entries we cannot describe (the four letters are then the string). */
export type SampleEntry = {
  codecString: string;
  kind: 'video' | 'audio' | 'other';
  width?: number;
  height?: number;
  sampleRate?: number;
  channels?: number;
  description?: TrackDescription;
};

/** Throws MALFORMED. */
export function parseSampleEntry(entry: Box): SampleEntry {
  const codec = visualCodecs.get(entry.type);
  if (codec !== undefined) return parseVisual(entry, codec);
  if (entry.type === 'mp4a' || entry.type === 'Opus') return parseAudio(entry);
  return { codecString: entry.type, kind: 'other' };
}

function writeVisual(track: VideoDescription): Uint8Array {
  const writer = new ByteWriter(78).bytes(new Uint8Array(6)).u16(1).bytes(new Uint8Array(16));
  writer.u16(track.width).u16(track.height).u32(0x480000).u32(0x480000).u32(0).u16(1);
  writer.bytes(new Uint8Array(32)).u16(0x18).u16(0xffff);
  const [entry, configBox] = visualEntries[track.codec];
  const config = configBox === 'vpcC' ? writeFullBox(configBox, 1, 0, track.config) : writeBox(configBox, track.config);
  return writeBox(entry, writer.finish(), config);
}

function writeAudio(track: AudioDescription): Uint8Array {
  const writer = new ByteWriter(28).bytes(new Uint8Array(6)).u16(1).u32(0).u32(0);
  // 16.16 fixed point: rates of 65536 Hz and more do not fit, and players read the AudioSpecificConfig anyway.
  writer
    .u16(track.channels)
    .u16(16)
    .u32(0)
    .u16(track.sampleRate > 0xffff ? 0 : track.sampleRate)
    .u16(0);
  if (track.codec === 'aac') return writeBox('mp4a', writer.finish(), writeEsds(track.config));
  return writeBox('Opus', writer.finish(), writeBox('dOps', opusHeadToDOps(track.config)));
}

/** ES_Descriptor (ISO 14496-1 7.2.6.5) around an AudioSpecificConfig. */
function writeEsds(config: Uint8Array): Uint8Array {
  const specific = descriptor(5, config);
  const decoder = descriptor(4, new ByteWriter().u8(0x40).u8(0x15).u24(0).u32(0).u32(0).bytes(specific).finish());
  const sync = descriptor(6, new Uint8Array([2]));
  return writeFullBox('esds', 0, 0, descriptor(3, new ByteWriter().u16(0).u8(0).bytes(decoder).bytes(sync).finish()));
}

function descriptor(tag: number, payload: Uint8Array): Uint8Array {
  const writer = new ByteWriter(payload.length + 5).u8(tag);
  const length = payload.length;
  writer
    .u8(0x80 | (length >>> 21))
    .u8(0x80 | ((length >>> 14) & 0x7f))
    .u8(0x80 | ((length >>> 7) & 0x7f))
    .u8(length & 0x7f);
  return writer.bytes(payload).finish();
}

function parseVisual(entry: Box, codec: VideoUnit['codec']): SampleEntry {
  const reader = new ByteReader(entry.payload);
  reader.take(24);
  const width = reader.u16();
  const height = reader.u16();
  reader.take(50);
  const box = needBox(readBoxes(reader.rest()), visualEntries[codec][1]);
  const config = box.type === 'vpcC' ? bareVpConfig(box.payload) : box.payload;
  const codecString = describeVideo(codec, config).codec.replace(/^[^.]+/, entry.type);
  const description: VideoDescription = { kind: 'video', codec, config, width, height };
  return { codecString, kind: 'video', width, height, description };
}

function parseAudio(entry: Box): SampleEntry {
  const reader = new ByteReader(entry.payload);
  reader.take(16);
  const channels = reader.u16();
  reader.take(6);
  const sampleRate = reader.u16();
  reader.take(2);
  const boxes = readBoxes(reader.rest());
  if (entry.type === 'Opus') {
    const config = dOpsToOpusHead(needBox(boxes, 'dOps').payload);
    const head = describeAudio('opus', config);
    const said = { sampleRate: head.sampleRate, channels: head.channels };
    return {
      codecString: head.codec,
      kind: 'audio',
      ...said,
      description: { kind: 'audio', codec: 'opus', config, ...said },
    };
  }
  const config = parseEsds(needBox(boxes, 'esds'));
  const asc = describeAudio('aac', config);
  const rate = sampleRate === 0 ? asc.sampleRate : sampleRate;
  const description: AudioDescription = { kind: 'audio', codec: 'aac', config, sampleRate: rate, channels };
  return { codecString: asc.codec, kind: 'audio', sampleRate: rate, channels, description };
}

function parseEsds(box: Box): Uint8Array {
  const es = readDescriptor(readFullBox(box).reader, 3);
  es.u16();
  const flags = es.u8();
  if (flags & 0x80) es.u16();
  if (flags & 0x40) es.take(es.u8());
  if (flags & 0x20) es.u16();
  const decoder = readDescriptor(es, 4);
  if (decoder.u8() !== 0x40) throw new StreamsError('UNSUPPORTED', 'mp4a that is not MPEG-4 audio');
  decoder.take(12);
  return readDescriptor(decoder, 5).rest();
}

function readDescriptor(reader: ByteReader, tag: number): ByteReader {
  if (reader.u8() !== tag) throw new StreamsError('MALFORMED', `esds: descriptor ${tag} expected`);
  let length = 0;
  for (let i = 0; i < 4; i++) {
    const byte = reader.u8();
    length = length * 128 + (byte & 0x7f);
    if (byte < 0x80) break;
  }
  return new ByteReader(reader.take(length));
}

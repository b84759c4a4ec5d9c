import { ByteReader, ByteWriter } from '../../core/bytes.ts';
import { StreamsError } from '../../core/errors.ts';
import { parseAudioSpecificConfig } from '../aac/audio-specific-config.ts';
import { parseAvcConfig } from '../h264/avc-config.ts';
import { type Box, needBox, readBoxes, readFullBox, writeBox, writeFullBox } from './boxes.ts';

/** Description of a coded track. */
export type VideoDescription = {
  kind: 'video';
  codec: 'h264';
  /** avcC payload. */
  config: Uint8Array;
  width: number;
  height: number;
};
export type AudioDescription = {
  kind: 'audio';
  codec: 'aac';
  /** AudioSpecificConfig. */
  config: Uint8Array;
  sampleRate: number;
  channels: number;
};
export type TrackDescription = VideoDescription | AudioDescription;

/** The one entry of stsd (ISO 14496-12 8.5.2, 14496-15 5.4.2, 14496-14 6.7). */
export function writeSampleEntry(track: TrackDescription): Uint8Array {
  return track.kind === 'video' ? writeAvc1(track) : writeMp4a(track);
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
  if (['avc1', 'avc3', 'hvc1', 'hev1', 'av01', 'vp09'].includes(entry.type)) return parseVisual(entry);
  if (['mp4a', 'Opus'].includes(entry.type)) return parseAudio(entry);
  return { codecString: entry.type, kind: 'other' };
}

function writeAvc1(track: VideoDescription): Uint8Array {
  const writer = new ByteWriter(78).bytes(new Uint8Array(6)).u16(1).bytes(new Uint8Array(16));
  writer.u16(track.width).u16(track.height).u32(0x480000).u32(0x480000).u32(0).u16(1);
  writer.bytes(new Uint8Array(32)).u16(0x18).u16(0xffff);
  return writeBox('avc1', writer.finish(), writeBox('avcC', track.config));
}

function writeMp4a(track: AudioDescription): Uint8Array {
  const writer = new ByteWriter(28).bytes(new Uint8Array(6)).u16(1).u32(0).u32(0);
  // 16.16 fixed point: rates of 65536 Hz and more do not fit, and players read the AudioSpecificConfig anyway.
  writer
    .u16(track.channels)
    .u16(16)
    .u32(0)
    .u16(track.sampleRate > 0xffff ? 0 : track.sampleRate)
    .u16(0);
  return writeBox('mp4a', writer.finish(), writeEsds(track.config));
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

function parseVisual(entry: Box): SampleEntry {
  const reader = new ByteReader(entry.payload);
  reader.take(24);
  const width = reader.u16();
  const height = reader.u16();
  reader.take(50);
  if (entry.type !== 'avc1' && entry.type !== 'avc3') return { codecString: entry.type, kind: 'video', width, height };
  const config = needBox(readBoxes(reader.rest()), 'avcC').payload;
  const codecString = parseAvcConfig(config).codec.replace('avc1', entry.type);
  const description: VideoDescription = { kind: 'video', codec: 'h264', config, width, height };
  return { codecString, kind: 'video', width, height, description };
}

function parseAudio(entry: Box): SampleEntry {
  const reader = new ByteReader(entry.payload);
  reader.take(16);
  const channels = reader.u16();
  reader.take(6);
  const sampleRate = reader.u16();
  reader.take(2);
  if (entry.type === 'Opus') return { codecString: 'opus', kind: 'audio', sampleRate: 48_000, channels };
  const config = parseEsds(needBox(readBoxes(reader.rest()), 'esds'));
  const asc = parseAudioSpecificConfig(config);
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

import { ByteReader } from '../../core/bytes.ts';
import { StreamsError } from '../../core/errors.ts';
import { skipModEx } from './mod-ex.ts';
import { firstTrack } from './multitrack.ts';

/** Body of a video message or tag (FLV 10.1 E.4.3, Enhanced RTMP v2 "ExVideoTagHeader"). */
export type VideoTag =
  | { readonly kind: 'config'; readonly codec: VideoCodec; readonly config: Uint8Array }
  | {
      readonly kind: 'frame';
      readonly codec: VideoCodec;
      readonly keyframe: boolean;
      /** Presentation minus decode time, ms. */
      readonly compositionOffset: number;
      readonly data: Uint8Array;
    }
  | { readonly kind: 'end' }
  /** Metadata, commands, and tracks but the first: nothing for us. */
  | { readonly kind: 'ignored' };

export type VideoCodec = 'h264' | 'hevc' | 'av1' | 'vp9' | 'vp8';

const fourCcs = new Map<number, VideoCodec>([
  [0x61766331, 'h264'],
  [0x68766331, 'hevc'],
  [0x61763031, 'av1'],
  [0x76703039, 'vp9'],
  [0x76703038, 'vp8'],
]);
const legacyNames = ['', 'JPEG', 'Sorenson H.263', 'Screen video', 'VP6', 'VP6 with alpha', 'Screen video 2'];

/** Throws MALFORMED; UNSUPPORTED, naming the codec, for one that has no place in CMAF. */
export function decodeVideoTag(body: Uint8Array): VideoTag {
  const reader = new ByteReader(body);
  const first = reader.u8();
  const frameType = (first >> 4) & 7;
  if (first & 0x80) return decodeExtended(reader, frameType, first & 15);
  const codecId = first & 15;
  if (codecId !== 7 && codecId !== 12)
    throw new StreamsError('UNSUPPORTED', `video codec ${legacyNames[codecId] || codecId} in RTMP`);
  // Frame type 5 is a server command in place of a picture.
  if (frameType === 5) return { kind: 'ignored' };
  const codec = codecId === 7 ? 'h264' : 'hevc';
  const packetType = reader.u8();
  const compositionOffset = readI24(reader);
  if (packetType === 0) return { kind: 'config', codec, config: reader.rest() };
  if (packetType === 2) return { kind: 'end' };
  if (packetType !== 1) throw new StreamsError('MALFORMED', `AVC packet type ${packetType}`);
  return { kind: 'frame', codec, keyframe: frameType === 1, compositionOffset, data: reader.rest() };
}

function decodeExtended(reader: ByteReader, frameType: number, type: number): VideoTag {
  let packetType = skipModEx(reader, type);
  if (packetType === 6) {
    const multitrack = reader.u8();
    packetType = multitrack & 15;
    const track = firstTrack(reader, multitrack >> 4);
    if (track === undefined) return { kind: 'ignored' };
    return decodePacket(track.reader, codecOf(track.fourCc), frameType, packetType);
  }
  // Metadata (4) and commands (frame type 5) carry no picture.
  if (packetType === 4 || (frameType === 5 && packetType !== 0)) return { kind: 'ignored' };
  return decodePacket(reader, codecOf(reader.u32()), frameType, packetType);
}

function decodePacket(reader: ByteReader, codec: VideoCodec, frameType: number, packetType: number): VideoTag {
  if (packetType === 0) return { kind: 'config', codec, config: reader.rest() };
  if (packetType === 2) return { kind: 'end' };
  if (packetType !== 1 && packetType !== 3) return { kind: 'ignored' };
  const timed = packetType === 1 && (codec === 'h264' || codec === 'hevc');
  const compositionOffset = timed ? readI24(reader) : 0;
  return { kind: 'frame', codec, keyframe: frameType === 1, compositionOffset, data: reader.rest() };
}

function codecOf(value: number): VideoCodec {
  const codec = fourCcs.get(value);
  if (codec === undefined) throw new StreamsError('UNSUPPORTED', `video codec 0x${value.toString(16)} in RTMP`);
  return codec;
}

function readI24(reader: ByteReader): number {
  return (reader.u24() << 8) >> 8;
}

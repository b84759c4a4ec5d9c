import { ByteReader } from '../../core/bytes.ts';
import { StreamsError } from '../../core/errors.ts';
import { skipModEx } from './mod-ex.ts';
import { firstTrack } from './multitrack.ts';

/** Body of an audio message or tag (FLV 10.1 E.4.2, Enhanced RTMP v2 "ExAudioTagHeader"). */
export type AudioTag =
  | { readonly kind: 'config'; readonly codec: AudioCodec; readonly config: Uint8Array }
  | { readonly kind: 'frame'; readonly codec: AudioCodec; readonly data: Uint8Array }
  | { readonly kind: 'ignored' };

export type AudioCodec = 'aac' | 'opus' | 'flac' | 'ac3' | 'eac3' | 'mp3';

const fourCcs = new Map<number, AudioCodec>([
  [0x6d703461, 'aac'],
  [0x4f707573, 'opus'],
  [0x664c6143, 'flac'],
  [0x61632d33, 'ac3'],
  [0x65632d33, 'eac3'],
  [0x2e6d7033, 'mp3'],
]);
const legacyNames = [
  'PCM',
  'ADPCM',
  'MP3',
  'PCM',
  'Nellymoser',
  'Nellymoser',
  'Nellymoser',
  'G.711 A-law',
  'G.711 mu-law',
];

/** Throws MALFORMED; UNSUPPORTED, naming the codec, for one that has no place in CMAF. */
export function decodeAudioTag(body: Uint8Array): AudioTag {
  const reader = new ByteReader(body);
  const first = reader.u8();
  const format = first >> 4;
  if (format === 9) return decodeExtended(reader, first & 15);
  if (format !== 10) throw new StreamsError('UNSUPPORTED', `audio codec ${legacyNames[format] ?? format} in RTMP`);
  const packetType = reader.u8();
  if (packetType === 0) return { kind: 'config', codec: 'aac', config: reader.rest() };
  if (packetType !== 1) throw new StreamsError('MALFORMED', `AAC packet type ${packetType}`);
  return { kind: 'frame', codec: 'aac', data: reader.rest() };
}

function decodeExtended(reader: ByteReader, type: number): AudioTag {
  let packetType = skipModEx(reader, type);
  if (packetType === 5) {
    const multitrack = reader.u8();
    packetType = multitrack & 15;
    const track = firstTrack(reader, multitrack >> 4);
    if (track === undefined) return { kind: 'ignored' };
    return decodePacket(track.reader, codecOf(track.fourCc), packetType);
  }
  return decodePacket(reader, codecOf(reader.u32()), packetType);
}

/** 0 SequenceStart, 1 CodedFrames; 2 SequenceEnd and 4 MultichannelConfig tell us nothing. */
function decodePacket(reader: ByteReader, codec: AudioCodec, packetType: number): AudioTag {
  if (packetType === 0) return { kind: 'config', codec, config: reader.rest() };
  if (packetType !== 1) return { kind: 'ignored' };
  return { kind: 'frame', codec, data: reader.rest() };
}

function codecOf(value: number): AudioCodec {
  const codec = fourCcs.get(value);
  if (codec === undefined) throw new StreamsError('UNSUPPORTED', `audio codec 0x${value.toString(16)} in RTMP`);
  return codec;
}

import { ByteWriter, concat, utf8 } from '../../core/bytes.ts';
import type { TrackDescription } from '../cmaf/sample-entry.ts';

/** One frame of the one track; `time` is its presentation in whole milliseconds, 0 or later. */
export type LiveFrame = { readonly time: number; readonly keyframe: boolean; readonly data: Uint8Array };

const id = {
  ebml: 0x1a45dfa3,
  segment: 0x18538067,
  info: 0x1549a966,
  tracks: 0x1654ae6b,
  cluster: 0x1f43b675,
} as const;

const codecIds: Readonly<Record<string, string>> = {
  h264: 'V_MPEG4/ISO/AVC',
  hevc: 'V_MPEGH/ISO/HEVC',
  av1: 'V_AV1',
  vp9: 'V_VP9',
  vp8: 'V_VP8',
  aac: 'A_AAC',
  opus: 'A_OPUS',
};

/**
 * The beginning of a live Matroska stream of one track (RFC 9559): EBML header, a Segment without an end, Info and Tracks. The
 * scale is a millisecond. `framerate`: frames per second, where it is known. undefined for a codec without a name here.
 */
export function writeMatroskaHead(track: TrackDescription, framerate?: number): Uint8Array | undefined {
  const codecId = codecIds[track.codec];
  if (codecId === undefined) return undefined;
  const picture =
    track.kind === 'video'
      ? element(0xe0, uint(0xb0, track.width), uint(0xba, track.height))
      : element(0xe1, float(0xb5, track.sampleRate), uint(0x9f, track.channels));
  // VP9's configuration has no place in Matroska's CodecPrivate; decoders need none.
  const config = track.codec === 'vp9' || track.codec === 'vp8' ? new Uint8Array(0) : element(0x63a2, track.config);
  const duration = framerate === undefined ? new Uint8Array(0) : uint(0x23e383, Math.round(1e9 / framerate));
  const kind = uint(0x83, track.kind === 'video' ? 1 : 2);
  const entry = element(
    0xae,
    uint(0xd7, 1),
    uint(0x73c5, 1),
    kind,
    uint(0x9c, 0),
    text(0x86, codecId),
    duration,
    config,
    picture,
  );
  return concat([
    element(id.ebml, text(0x4282, 'matroska'), uint(0x4287, 4), uint(0x4285, 2)),
    // The size of all ones: unknown, as live streams have it (RFC 8794 6.2).
    new ByteWriter(12)
      .u32(id.segment)
      .bytes(new Uint8Array([0x01, 255, 255, 255, 255, 255, 255, 255]))
      .finish(),
    element(id.info, uint(0x2ad7b1, 1_000_000), text(0x4d80, 'streams'), text(0x5741, 'streams')),
    element(id.tracks, entry),
  ]);
}

/** A Cluster of one SimpleBlock: a reader has the frame as soon as its last byte is there. */
export function writeMatroskaFrame({ time, keyframe, data }: LiveFrame): Uint8Array {
  const block = new ByteWriter(4 + data.length);
  block
    .u8(0x81)
    .u16(0)
    .u8(keyframe ? 0x80 : 0)
    .bytes(data);
  return element(id.cluster, uint(0xe7, time), element(0xa3, block.finish()));
}

function element(elementId: number, ...parts: Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const head = new ByteWriter(12);
  writeId(head, elementId);
  // Eight bytes of size, always: 0x01 and 56 bits.
  head
    .u8(0x01)
    .u24(Math.floor(length / 0x1_0000_0000))
    .u32(length >>> 0);
  return concat([head.finish(), ...parts]);
}

function writeId(writer: ByteWriter, elementId: number): void {
  if (elementId > 0xff_ffff) writer.u32(elementId);
  else if (elementId > 0xffff) writer.u24(elementId);
  else if (elementId > 0xff) writer.u16(elementId);
  else writer.u8(elementId);
}

function uint(elementId: number, value: number): Uint8Array {
  const bytes = new ByteWriter(8)
    .u32(Math.floor(value / 0x1_0000_0000))
    .u32(value >>> 0)
    .finish();
  return element(elementId, bytes);
}

function float(elementId: number, value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value);
  return element(elementId, bytes);
}

function text(elementId: number, value: string): Uint8Array {
  return element(elementId, utf8(value));
}

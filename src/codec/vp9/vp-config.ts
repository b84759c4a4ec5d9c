import { ByteReader, ByteWriter } from '../../core/bytes.ts';
import { StreamsError } from '../../core/errors.ts';
import type { Vp9KeyFrame } from './frame-header.ts';

/** Level × 10 and the largest luma picture of it, in pixels. */
const levels = [
  [10, 36_864],
  [11, 73_728],
  [20, 122_880],
  [21, 245_760],
  [30, 552_960],
  [31, 983_040],
  [41, 2_228_224],
  [51, 8_912_896],
] as const;

/**
 * RFC 6381 string of a VPCodecConfigurationRecord (VP9-ISOBMFF "Codecs Parameter String": `vp09.00.31.08`), given without
 * the version and flags of the `vpcC` box around it. Throws MALFORMED.
 */
export function vpCodecString(entry: 'vp08' | 'vp09', bytes: Uint8Array): string {
  const reader = new ByteReader(bytes);
  const [profile, level, depth] = [reader.u8(), reader.u8(), reader.u8() >> 4];
  if (profile > 3 || ![8, 10, 12].includes(depth)) throw new StreamsError('MALFORMED', 'vpcC profile or bit depth');
  const two = (value: number) => String(value).padStart(2, '0');
  return `${entry}.${two(profile)}.${two(level === 0 ? 10 : level)}.${two(depth)}`;
}

/** The record of a stream with this key frame (of VP8 a size is all there is): the level by its size alone, colours not said. */
export function writeVpConfig(frame: Pick<Vp9KeyFrame, 'width' | 'height'> & Partial<Vp9KeyFrame>): Uint8Array {
  const { width, height, profile = 0, bitDepth = 8, chromaSubsampling = 1, fullRange = false } = frame;
  const [level] = levels.find(([, most]) => width * height <= most) ?? [62];
  const depth = (bitDepth << 4) | (chromaSubsampling << 1) | (fullRange ? 1 : 0);
  return new ByteWriter(8).u8(profile).u8(level).u8(depth).u8(2).u8(2).u8(2).u16(0).finish();
}

/** The record, whether or not version and flags of the box were left before it (senders of Enhanced RTMP do both). */
export function bareVpConfig(bytes: Uint8Array): Uint8Array {
  return bytes.length >= 12 && bytes[0] === 1 && bytes[1] === 0 && bytes[2] === 0 && bytes[3] === 0
    ? bytes.subarray(4)
    : bytes;
}

import { StreamsError } from '../../core/errors.ts';
import { BitReader } from '../bits/bit-reader.ts';

/** What we need of a key frame's uncompressed_header() (VP9 6.2). */
export type Vp9KeyFrame = {
  profile: number;
  bitDepth: 8 | 10 | 12;
  /** 0 and 1 are 4:2:0, 2 4:2:2, 3 4:4:4 (VP9-ISOBMFF). */
  chromaSubsampling: number;
  fullRange: boolean;
  width: number;
  height: number;
};

/** undefined for other than key frames. Throws MALFORMED. */
export function parseVp9KeyFrame(frame: Uint8Array): Vp9KeyFrame | undefined {
  const reader = new BitReader(frame.subarray(0, 32));
  if (reader.bits(2) !== 2) throw new StreamsError('MALFORMED', 'VP9 frame marker');
  const profile = reader.bit() + 2 * reader.bit();
  if (profile === 3) reader.bit();
  if (reader.bit() === 1) return undefined;
  if (reader.bit() === 1) return undefined;
  reader.skip(2);
  if (reader.bits(24) !== 0x498342) throw new StreamsError('MALFORMED', 'VP9 sync code');
  const bitDepth: 8 | 10 | 12 = profile >= 2 ? (reader.bit() === 1 ? 12 : 10) : 8;
  let fullRange = true;
  let chromaSubsampling = 3;
  // color_space CS_RGB is full range and 4:4:4.
  if (reader.bits(3) !== 7) {
    fullRange = reader.bit() === 1;
    chromaSubsampling = 1;
    if (profile === 1 || profile === 3) {
      const [x, y] = [reader.bit(), reader.bit()];
      chromaSubsampling = x === 1 ? (y === 1 ? 1 : 2) : 3;
      reader.bit();
    }
  } else if (profile === 1 || profile === 3) reader.bit();
  const width = reader.bits(16) + 1;
  const height = reader.bits(16) + 1;
  if (width > 16_384 || height > 16_384) throw new StreamsError('MALFORMED', `VP9 picture of ${width}x${height}`);
  return { profile, bitDepth, chromaSubsampling, fullRange, width, height };
}

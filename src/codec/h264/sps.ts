import { StreamsError } from '../../core/errors.ts';
import { BitReader, unescapeNal } from '../bits/bit-reader.ts';

/** What we need of a sequence parameter set (ITU-T H.264 7.3.2.1.1). */
export type Sps = {
  profile: number;
  constraints: number;
  level: number;
  /** chroma_format_idc: 1 for 4:2:0. */
  chromaFormat: number;
  /** Bits of a sample, 8 to 14. */
  bitDepthLuma: number;
  bitDepthChroma: number;
  /** Cropped picture in pixels. */
  width: number;
  height: number;
  /** Frames per second from the VUI timing, when it is there and plausible (1 … 300). */
  framerate: number | undefined;
};

const highProfiles = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);

/** `nal` with its header byte. Throws MALFORMED. */
export function parseSps(nal: Uint8Array): Sps {
  if (nal.length < 4 || (nal[0]! & 0x1f) !== 7) throw new StreamsError('MALFORMED', 'not an H.264 SPS');
  const reader = new BitReader(unescapeNal(nal.subarray(1, 1024)));
  const profile = reader.bits(8);
  const constraints = reader.bits(8);
  const level = reader.bits(8);
  reader.ue();
  let chroma = 1;
  let separatePlanes = 0;
  let bitDepthLuma = 8;
  let bitDepthChroma = 8;
  if (highProfiles.has(profile)) {
    chroma = reader.ue();
    if (chroma > 3) throw new StreamsError('MALFORMED', 'chroma_format_idc');
    if (chroma === 3) separatePlanes = reader.bit();
    bitDepthLuma = 8 + reader.ue();
    bitDepthChroma = 8 + reader.ue();
    if (bitDepthLuma > 14 || bitDepthChroma > 14) throw new StreamsError('MALFORMED', 'H.264 bit depth');
    reader.bit();
    if (reader.bit() === 1) {
      const lists = chroma === 3 ? 12 : 8;
      for (let i = 0; i < lists; i++) if (reader.bit() === 1) skipScalingList(reader, i < 6 ? 16 : 64);
    }
  }
  reader.ue();
  skipOrderCount(reader);
  reader.ue();
  reader.bit();
  const widthInMbs = reader.ue() + 1;
  const heightInMapUnits = reader.ue() + 1;
  const frameMbsOnly = reader.bit();
  if (frameMbsOnly === 0) reader.bit();
  reader.bit();
  const crop = [0, 0, 0, 0];
  if (reader.bit() === 1) for (let i = 0; i < 4; i++) crop[i] = reader.ue();
  const framerate = reader.bit() === 1 ? vuiFramerate(reader) : undefined;

  const subWidth = chroma === 1 || chroma === 2 ? 2 : 1;
  const subHeight = chroma === 1 ? 2 : 1;
  const cropX = separatePlanes || chroma === 0 ? 1 : subWidth;
  const cropY = (separatePlanes || chroma === 0 ? 1 : subHeight) * (2 - frameMbsOnly);
  const width = widthInMbs * 16 - cropX * (crop[0]! + crop[1]!);
  const height = heightInMapUnits * 16 * (2 - frameMbsOnly) - cropY * (crop[2]! + crop[3]!);
  if (width < 1 || height < 1 || width > 16_384 || height > 16_384)
    throw new StreamsError('MALFORMED', `H.264 picture of ${width}x${height}`);
  return {
    profile,
    constraints,
    level,
    chromaFormat: chroma,
    bitDepthLuma,
    bitDepthChroma,
    width,
    height,
    framerate,
  };
}

function skipScalingList(reader: BitReader, size: number): void {
  let last = 8;
  let next = 8;
  for (let i = 0; i < size; i++) {
    if (next !== 0) next = (last + reader.se() + 256) % 256;
    last = next === 0 ? last : next;
  }
}

function skipOrderCount(reader: BitReader): void {
  const type = reader.ue();
  if (type === 0) reader.ue();
  if (type !== 1) return;
  reader.bit();
  reader.se();
  reader.se();
  const cycle = reader.ue();
  if (cycle > 255) throw new StreamsError('MALFORMED', 'num_ref_frames_in_pic_order_cnt_cycle');
  for (let i = 0; i < cycle; i++) reader.se();
}

/** VUI (E.1.1) up to the timing. */
function vuiFramerate(reader: BitReader): number | undefined {
  if (reader.bit() === 1 && reader.bits(8) === 255) reader.skip(32);
  if (reader.bit() === 1) reader.bit();
  if (reader.bit() === 1) {
    reader.skip(4);
    if (reader.bit() === 1) reader.skip(24);
  }
  if (reader.bit() === 1) {
    reader.ue();
    reader.ue();
  }
  if (reader.bit() === 0) return undefined;
  const unitsInTick = reader.bits(32);
  const timeScale = reader.bits(32);
  const framerate = timeScale / (2 * unitsInTick);
  return framerate >= 1 && framerate <= 300 ? Math.round(framerate * 1000) / 1000 : undefined;
}

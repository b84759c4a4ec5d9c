import { StreamsError } from '../../core/errors.ts';
import { BitReader } from '../bits/bit-reader.ts';

/** What we need of sequence_header_obu() (AV1 5.5). */
export type SequenceHeader = {
  profile: number;
  /** seq_level_idx[0]. */
  level: number;
  /** seq_tier[0]: 0 Main, 1 High. */
  tier: number;
  bitDepth: 8 | 10 | 12;
  monochrome: boolean;
  subsamplingX: number;
  subsamplingY: number;
  chromaSamplePosition: number;
  /** max_frame_width_minus_1 + 1 and the same of the height: pixels. */
  width: number;
  height: number;
  /** Frames per second, where the stream says that its pictures are evenly spaced. */
  framerate: number | undefined;
  reducedStillPicture: boolean;
};

/** `payload` of the OBU. Throws MALFORMED. */
export function parseSequenceHeader(payload: Uint8Array): SequenceHeader {
  const reader = new BitReader(payload.subarray(0, 256));
  const profile = reader.bits(3);
  if (profile > 2) throw new StreamsError('MALFORMED', 'AV1 profile');
  reader.bit();
  const reducedStillPicture = reader.bit() === 1;
  const { level, tier, framerate } = reducedStillPicture
    ? { level: reader.bits(5), tier: 0, framerate: undefined }
    : operatingPoints(reader);
  const widthBits = reader.bits(4) + 1;
  const heightBits = reader.bits(4) + 1;
  const width = reader.bits(widthBits) + 1;
  const height = reader.bits(heightBits) + 1;
  if (width > 16_384 || height > 16_384) throw new StreamsError('MALFORMED', `AV1 picture of ${width}x${height}`);
  skipTools(reader, reducedStillPicture);
  const colour = colourConfig(reader, profile);
  return { profile, level, tier, ...colour, width, height, framerate, reducedStillPicture };
}

function operatingPoints(reader: BitReader): { level: number; tier: number; framerate: number | undefined } {
  let framerate: number | undefined;
  let decoderModel = false;
  let delayBits = 0;
  if (reader.bit() === 1) {
    const unitsInTick = reader.bits(32);
    const timeScale = reader.bits(32);
    if (reader.bit() === 1) framerate = timeScale / (unitsInTick * (reader.ue() + 1));
    decoderModel = reader.bit() === 1;
    if (decoderModel) {
      delayBits = reader.bits(5) + 1;
      reader.skip(32 + 10);
    }
  }
  const initialDelay = reader.bit() === 1;
  const count = reader.bits(5) + 1;
  let level = 0;
  let tier = 0;
  for (let i = 0; i < count; i++) {
    reader.skip(12);
    const pointLevel = reader.bits(5);
    const pointTier = pointLevel > 7 ? reader.bit() : 0;
    if (i === 0) {
      level = pointLevel;
      tier = pointTier;
    }
    if (decoderModel && reader.bit() === 1) reader.skip(2 * delayBits + 1);
    if (initialDelay && reader.bit() === 1) reader.skip(4);
  }
  const plausible = framerate !== undefined && framerate >= 1 && framerate <= 300;
  return { level, tier, framerate: plausible ? Math.round(framerate! * 1000) / 1000 : undefined };
}

/** frame_id_numbers_present_flag to enable_restoration. */
function skipTools(reader: BitReader, reduced: boolean): void {
  if (!reduced && reader.bit() === 1) reader.skip(7);
  reader.skip(3);
  if (!reduced) {
    reader.skip(4);
    const orderHint = reader.bit() === 1;
    if (orderHint) reader.skip(2);
    const screenContent = reader.bit() === 1 ? 2 : reader.bit();
    if (screenContent > 0 && reader.bit() === 0) reader.skip(1);
    if (orderHint) reader.skip(3);
  }
  reader.skip(3);
}

/** color_config() (AV1 5.5.2). */
function colourConfig(reader: BitReader, profile: number) {
  const high = reader.bit() === 1;
  const bitDepth: 8 | 10 | 12 = profile === 2 && high ? (reader.bit() === 1 ? 12 : 10) : high ? 10 : 8;
  const monochrome = profile !== 1 && reader.bit() === 1;
  let [primaries, transfer, matrix] = [2, 2, 2];
  if (reader.bit() === 1) [primaries, transfer, matrix] = [reader.bits(8), reader.bits(8), reader.bits(8)];
  const made = (subsamplingX: number, subsamplingY: number, chromaSamplePosition = 0) => ({
    bitDepth,
    monochrome,
    subsamplingX,
    subsamplingY,
    chromaSamplePosition,
  });
  // sRGB is full range and 4:4:4 without saying so.
  if (!monochrome && primaries === 1 && transfer === 13 && matrix === 0) return made(0, 0);
  reader.bit();
  if (monochrome) return made(1, 1);
  if (profile === 0) return made(1, 1, reader.bits(2));
  if (profile === 1) return made(0, 0);
  if (bitDepth !== 12) return made(1, 0);
  const x = reader.bit();
  const y = x === 1 ? reader.bit() : 0;
  return made(x, y, x === 1 && y === 1 ? reader.bits(2) : 0);
}

import { StreamsError } from '../../core/errors.ts';
import { BitReader, unescapeNal } from '../bits/bit-reader.ts';
import { nalType, nalTypeOf } from './nal.ts';

/** general_profile_space … general_level_idc of profile_tier_level() (ITU-T H.265 7.3.3), 12 bytes as they stand. */
export type ProfileTierLevel = Uint8Array;

/** What we need of a sequence parameter set (ITU-T H.265 7.3.2.2.1). */
export type HevcSps = {
  id: number;
  profileTierLevel: ProfileTierLevel;
  /** sps_max_sub_layers_minus1 + 1. */
  temporalLayers: number;
  temporalIdNested: boolean;
  /** chroma_format_idc: 1 for 4:2:0. */
  chromaFormat: number;
  /** Bits of a sample, 8 to 16. */
  bitDepthLuma: number;
  bitDepthChroma: number;
  /** Cropped picture in pixels. */
  width: number;
  height: number;
};

/** `nal` with its header of two bytes. Throws MALFORMED. */
export function parseHevcSps(nal: Uint8Array): HevcSps {
  if (nal.length < 16 || nalTypeOf(nal) !== nalType.sps) throw new StreamsError('MALFORMED', 'not an H.265 SPS');
  const bytes = unescapeNal(nal.subarray(2, 1024));
  const reader = new BitReader(bytes);
  reader.skip(4);
  const subLayers = reader.bits(3);
  const temporalIdNested = reader.bit() === 1;
  if (subLayers > 6) throw new StreamsError('MALFORMED', 'sps_max_sub_layers_minus1');
  const profileTierLevel = bytes.slice(1, 13);
  reader.skip(96);
  skipSubLayers(reader, subLayers);
  const id = reader.ue();
  if (id > 15) throw new StreamsError('MALFORMED', 'H.265 SPS id');
  const chromaFormat = reader.ue();
  if (chromaFormat > 3) throw new StreamsError('MALFORMED', 'chroma_format_idc');
  const separatePlanes = chromaFormat === 3 && reader.bit() === 1;
  let width = reader.ue();
  let height = reader.ue();
  if (reader.bit() === 1) {
    const unitX = !separatePlanes && (chromaFormat === 1 || chromaFormat === 2) ? 2 : 1;
    const unitY = !separatePlanes && chromaFormat === 1 ? 2 : 1;
    width -= unitX * (reader.ue() + reader.ue());
    height -= unitY * (reader.ue() + reader.ue());
  }
  const bitDepthLuma = 8 + reader.ue();
  const bitDepthChroma = 8 + reader.ue();
  if (bitDepthLuma > 16 || bitDepthChroma > 16) throw new StreamsError('MALFORMED', 'H.265 bit depth');
  if (width < 1 || height < 1 || width > 16_384 || height > 16_384)
    throw new StreamsError('MALFORMED', `H.265 picture of ${width}x${height}`);
  return {
    id,
    profileTierLevel,
    temporalLayers: subLayers + 1,
    temporalIdNested,
    chromaFormat,
    bitDepthLuma,
    bitDepthChroma,
    width,
    height,
  };
}

function skipSubLayers(reader: BitReader, subLayers: number): void {
  let bits = 0;
  for (let i = 0; i < subLayers; i++) {
    if (reader.bit() === 1) bits += 88;
    if (reader.bit() === 1) bits += 8;
  }
  if (subLayers > 0) reader.skip(2 * (8 - subLayers));
  reader.skip(bits);
}

import { ByteReader, ByteWriter } from '../../core/bytes.ts';
import { StreamsError } from '../../core/errors.ts';
import { nalType } from './nal.ts';
import { type HevcSps, parseHevcSps } from './sps.ts';

/** HEVCDecoderConfigurationRecord (ISO 14496-15 8.3.3.1), read as far as we need it. */
export type HevcConfig = {
  /** RFC 6381, ISO 14496-15 annex E: `hvc1.1.6.L93.B0`. */
  codec: string;
  /** Bytes of the length before each NAL unit: 1, 2 or 4. */
  nalLengthSize: number;
  /** The first one; undefined when the record holds none (`hev1` may leave it to the stream). */
  sps: HevcSps | undefined;
};

const maxArrays = 16;

/** Throws MALFORMED. */
export function parseHevcConfig(bytes: Uint8Array): HevcConfig {
  const reader = new ByteReader(bytes);
  if (reader.u8() !== 1) throw new StreamsError('MALFORMED', 'hvcC version');
  const codec = `hvc1.${profileTierLevelString(reader.take(12))}`;
  reader.take(8);
  const nalLengthSize = (reader.u8() & 3) + 1;
  if (nalLengthSize === 3) throw new StreamsError('MALFORMED', 'hvcC NAL length of 3 bytes');
  const arrays = reader.u8();
  if (arrays > maxArrays) throw new StreamsError('LIMIT_EXCEEDED', `${arrays} arrays in hvcC`);
  let sps: HevcSps | undefined;
  for (let i = 0; i < arrays; i++) {
    const type = reader.u8() & 0x3f;
    for (let left = reader.u16(); left > 0; left--) {
      const nal = reader.take(reader.u16());
      if (type === nalType.sps) sps ??= parseHevcSps(nal);
    }
  }
  return { codec, nalLengthSize, sps };
}

/** The record of a stream with these parameter sets, NAL lengths of 4 bytes. Throws MALFORMED. */
export function writeHevcConfig(
  vps: readonly Uint8Array[],
  sps: readonly Uint8Array[],
  pps: readonly Uint8Array[],
): Uint8Array {
  const first = parseHevcSps(sps[0] ?? new Uint8Array(0));
  const writer = new ByteWriter(256).u8(1).bytes(first.profileTierLevel);
  // min_spatial_segmentation 0 and parallelismType 0: unknown.
  writer.u16(0xf000).u8(0xfc);
  writer
    .u8(0xfc | first.chromaFormat)
    .u8(0xf8 | (first.bitDepthLuma - 8))
    .u8(0xf8 | (first.bitDepthChroma - 8));
  // avgFrameRate and constantFrameRate 0: unknown.
  writer.u16(0).u8((first.temporalLayers << 3) | (first.temporalIdNested ? 4 : 0) | 3);
  writer.u8(3);
  for (const [type, sets] of [
    [nalType.vps, vps],
    [nalType.sps, sps],
    [nalType.pps, pps],
  ] as const) {
    // array_completeness: `hvc1` has all of them here.
    writer.u8(0x80 | type).u16(sets.length);
    for (const set of sets) writer.u16(set.length).bytes(set);
  }
  return writer.finish();
}

/** A copy of the record that announces NAL lengths of 4 bytes. */
export function withFourByteHevcLengths(config: Uint8Array): Uint8Array {
  const out = config.slice();
  out[21] = out[21]! | 3;
  return out;
}

/** ISO 14496-15 E.3: profile space and profile, compatibility flags with their bits reversed, tier and level, constraints. */
function profileTierLevelString(bytes: Uint8Array): string {
  const reader = new ByteReader(bytes);
  const first = reader.u8();
  const space = ['', 'A', 'B', 'C'][first >> 6];
  const tier = first & 0x20 ? 'H' : 'L';
  const flags = reader.u32();
  let reversed = 0;
  for (let bit = 0; bit < 32; bit++) if ((flags >>> bit) & 1) reversed += 2 ** (31 - bit);
  const constraints = [...reader.take(6)];
  while (constraints.length > 0 && constraints.at(-1) === 0) constraints.pop();
  const level = reader.u8();
  const parts = [`${space}${first & 0x1f}`, hex(reversed), `${tier}${level}`, ...constraints.map(hex)];
  return parts.join('.');
}

function hex(value: number): string {
  return value.toString(16).toUpperCase();
}

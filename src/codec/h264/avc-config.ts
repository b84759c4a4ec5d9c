import { ByteReader, hex } from '../../core/bytes.ts';
import { StreamsError } from '../../core/errors.ts';
import { withLengths } from './annex-b.ts';
import { parseSps, type Sps } from './sps.ts';

/** AVCDecoderConfigurationRecord (ISO 14496-15 5.3.3.1), read as far as we need it. */
export type AvcConfig = {
  /** RFC 6381: `avc1.` and profile, constraints, level in hexadecimal. */
  codec: string;
  /** Bytes of the length before each NAL unit: 1, 2 or 4. */
  nalLengthSize: number;
  sps: Sps;
};

/** Throws MALFORMED. */
export function parseAvcConfig(bytes: Uint8Array): AvcConfig {
  const reader = new ByteReader(bytes);
  if (reader.u8() !== 1) throw new StreamsError('MALFORMED', 'avcC version');
  const profile = reader.take(3);
  const nalLengthSize = (reader.u8() & 3) + 1;
  if (nalLengthSize === 3) throw new StreamsError('MALFORMED', 'avcC NAL length of 3 bytes');
  if ((reader.u8() & 0x1f) === 0) throw new StreamsError('MALFORMED', 'avcC without an SPS');
  const sps = parseSps(reader.take(reader.u16()));
  return { codec: `avc1.${hex(profile)}`, nalLengthSize, sps };
}

/**
 * An access unit whose NAL units have lengths of `from` bytes, with lengths of 4. Checks the lengths as it goes: throws
 * MALFORMED when they do not add up. Returns `bytes` itself when nothing is to be changed.
 */
export function toFourByteLengths(bytes: Uint8Array, from: number): Uint8Array {
  const reader = new ByteReader(bytes);
  const units: Uint8Array[] = [];
  while (reader.remaining > 0) {
    const length = from === 4 ? reader.u32() : from === 2 ? reader.u16() : reader.u8();
    const unit = reader.take(length);
    if (from !== 4) units.push(unit);
  }
  return from === 4 ? bytes : withLengths(units);
}

/** A copy of the record that announces NAL lengths of 4 bytes. */
export function withFourByteLengths(config: Uint8Array): Uint8Array {
  const out = config.slice();
  out[4] = out[4]! | 3;
  return out;
}

/** True when the access unit (4-byte lengths) holds an IDR slice (nal_unit_type 5). */
export function hasIdr(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 5 <= bytes.length; at += 4 + view.getUint32(at)) if ((bytes[at + 4]! & 0x1f) === 5) return true;
  return false;
}

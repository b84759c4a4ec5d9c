import { ByteReader, ByteWriter } from '../../core/bytes.ts';
import { StreamsError } from '../../core/errors.ts';
import { type Obu, obuType, readObus, writeObus } from './obu.ts';
import { parseSequenceHeader, type SequenceHeader } from './sequence-header.ts';

/** AV1CodecConfigurationRecord (AV1-ISOBMFF 2.3), read as far as we need it. */
export type Av1Config = {
  /** AV1-ISOBMFF 5: `av01.0.04M.08`. */
  codec: string;
  /** The record may come without it. */
  sequence: SequenceHeader | undefined;
};

/** Throws MALFORMED. */
export function parseAv1Config(bytes: Uint8Array): Av1Config {
  const reader = new ByteReader(bytes);
  if (reader.u8() !== 0x81) throw new StreamsError('MALFORMED', 'av1C version');
  const [profileLevel, rest] = [reader.u8(), reader.u8()];
  reader.u8();
  const header = readObus(reader.rest()).find((obu) => obu.type === obuType.sequenceHeader);
  const level = String(profileLevel & 31).padStart(2, '0');
  const depth = rest & 0x40 ? (rest & 0x20 ? '12' : '10') : '08';
  return {
    codec: `av01.${profileLevel >> 5}.${level}${rest & 0x80 ? 'H' : 'M'}.${depth}`,
    sequence: header === undefined ? undefined : parseSequenceHeader(header.payload),
  };
}

/** The record of a stream with this sequence header OBU. Throws MALFORMED. */
export function writeAv1Config(header: Obu): Uint8Array {
  const sequence = parseSequenceHeader(header.payload);
  const { profile, level, tier, bitDepth, monochrome, subsamplingX, subsamplingY, chromaSamplePosition } = sequence;
  const writer = new ByteWriter(32).u8(0x81).u8((profile << 5) | level);
  const depth = (bitDepth > 8 ? 0x40 : 0) | (bitDepth === 12 ? 0x20 : 0) | (monochrome ? 0x10 : 0);
  writer.u8((tier << 7) | depth | (subsamplingX << 3) | (subsamplingY << 2) | chromaSamplePosition).u8(0);
  return writer.bytes(writeObus([header])).finish();
}

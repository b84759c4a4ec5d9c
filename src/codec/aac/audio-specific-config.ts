import { StreamsError } from '../../core/errors.ts';
import { BitReader } from '../bits/bit-reader.ts';

/** AudioSpecificConfig (ISO 14496-3 1.6.2.1), read as far as we need it. */
export type AudioSpecificConfig = {
  /** RFC 6381: `mp4a.40.` and the audio object type, 2 being AAC-LC. */
  codec: string;
  /** Hertz of the core coder, the clock of its frames (HE-AAC plays at twice that). */
  sampleRate: number;
  channels: number;
  /** Samples of a frame at `sampleRate`: 1024, or 960. */
  frameLength: number;
};

const sampleRates = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350];
const channelCounts = [0, 1, 2, 3, 4, 5, 6, 8, 0, 0, 0, 7, 8, 0, 8];

/** Throws MALFORMED. */
export function parseAudioSpecificConfig(bytes: Uint8Array): AudioSpecificConfig {
  const reader = new BitReader(bytes.subarray(0, 64));
  const objectType = readObjectType(reader);
  const sampleRate = readSampleRate(reader);
  const channelConfiguration = reader.bits(4);
  let coreType = objectType;
  if (objectType === 5 || objectType === 29) {
    readSampleRate(reader);
    coreType = readObjectType(reader);
  }
  const general = [1, 2, 3, 4, 6, 7, 17, 19, 20, 21, 22, 23].includes(coreType);
  const frameLength = general && reader.remaining > 0 && reader.bit() === 1 ? 960 : 1024;
  // Configuration 0 puts the layout into a program config element; two channels is what its senders mean.
  const channels = channelConfiguration === 0 ? 2 : (channelCounts[channelConfiguration] ?? 0);
  if (channels === 0 || objectType === 0) throw new StreamsError('MALFORMED', 'AudioSpecificConfig');
  return { codec: `mp4a.40.${objectType}`, sampleRate, channels, frameLength };
}

function readObjectType(reader: BitReader): number {
  const type = reader.bits(5);
  return type === 31 ? 32 + reader.bits(6) : type;
}

function readSampleRate(reader: BitReader): number {
  const index = reader.bits(4);
  const rate = index === 15 ? reader.bits(24) : sampleRates[index];
  if (rate === undefined || rate < 1000 || rate > 192_000) throw new StreamsError('MALFORMED', 'AAC sample rate');
  return rate;
}

import { describe, expect, it } from 'vitest';
import { parseAudioSpecificConfig } from '../../../src/codec/aac/audio-specific-config.ts';
import { fromHex } from '../../../src/core/bytes.ts';

const records = [
  {
    name: 'AAC-LC 48 kHz stereo',
    bytes: '1190',
    value: { codec: 'mp4a.40.2', sampleRate: 48000, channels: 2, frameLength: 1024 },
  },
  {
    name: 'AAC-LC 44.1 kHz stereo',
    bytes: '1210',
    value: { codec: 'mp4a.40.2', sampleRate: 44100, channels: 2, frameLength: 1024 },
  },
  {
    name: 'AAC-LC 48 kHz mono, ffmpeg tail',
    bytes: '118856e500',
    value: { codec: 'mp4a.40.2', sampleRate: 48000, channels: 1, frameLength: 1024 },
  },
  {
    name: 'AAC-LC 48 kHz 5.1',
    bytes: '11b0',
    value: { codec: 'mp4a.40.2', sampleRate: 48000, channels: 6, frameLength: 1024 },
  },
  {
    name: 'HE-AAC 24 kHz core, 48 kHz out',
    bytes: '2b118800',
    value: { codec: 'mp4a.40.5', sampleRate: 24000, channels: 2, frameLength: 1024 },
  },
  {
    name: 'AAC-LC with an explicit rate of 37800 Hz',
    bytes: '178049d410',
    value: { codec: 'mp4a.40.2', sampleRate: 37800, channels: 2, frameLength: 1024 },
  },
];

describe('AudioSpecificConfig', () => {
  it.each(records)('$name', ({ bytes, value }) => {
    expect(parseAudioSpecificConfig(fromHex(bytes))).toEqual(value);
  });

  it.each(['', '11', '17', '1780', '0000', '1688'])('refuses %s', (bytes) => {
    expect(() => parseAudioSpecificConfig(fromHex(bytes))).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
  });
});

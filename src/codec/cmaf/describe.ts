import type { AudioUnit, VideoUnit } from '../../core/media-unit.ts';
import { parseAudioSpecificConfig } from '../aac/audio-specific-config.ts';
import { parseAv1Config } from '../av1/av1-config.ts';
import { parseAvcConfig } from '../h264/avc-config.ts';
import { parseHevcConfig } from '../hevc/hevc-config.ts';
import { parseOpusHead } from '../opus/opus-head.ts';
import { vpCodecString } from '../vp9/vp-config.ts';

export type VideoInfo = {
  /** RFC 6381. */
  codec: string;
  /** Pixels, where the configuration says so: a VP8 or VP9 one never does. */
  size: { width: number; height: number } | undefined;
  /** Frames per second, where it says so. */
  framerate: number | undefined;
};

export type AudioInfo = {
  /** RFC 6381. */
  codec: string;
  /** Hertz, the clock of its frames. */
  sampleRate: number;
  channels: number;
  /** Samples of a usual frame. */
  frameLength: number;
};

/** What the configuration of a VideoUnit says. Throws MALFORMED. */
export function describeVideo(codec: VideoUnit['codec'], config: Uint8Array): VideoInfo {
  switch (codec) {
    case 'h264': {
      const { codec: name, sps } = parseAvcConfig(config);
      return { codec: name, size: { width: sps.width, height: sps.height }, framerate: sps.framerate };
    }
    case 'hevc': {
      const { codec: name, sps } = parseHevcConfig(config);
      return { codec: name, size: sizeOf(sps), framerate: undefined };
    }
    case 'av1': {
      const { codec: name, sequence } = parseAv1Config(config);
      return { codec: name, size: sizeOf(sequence), framerate: sequence?.framerate };
    }
    case 'vp9':
    case 'vp8':
      return { codec: vpCodecString(codec === 'vp9' ? 'vp09' : 'vp08', config), size: undefined, framerate: undefined };
  }
}

/** What the configuration of an AudioUnit says. Throws MALFORMED. */
export function describeAudio(codec: AudioUnit['codec'], config: Uint8Array): AudioInfo {
  if (codec === 'aac') return parseAudioSpecificConfig(config);
  return { codec: 'opus', sampleRate: 48_000, channels: parseOpusHead(config).channels, frameLength: 960 };
}

function sizeOf(from: { width: number; height: number } | undefined): VideoInfo['size'] {
  return from === undefined ? undefined : { width: from.width, height: from.height };
}

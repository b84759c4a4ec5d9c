import { parseAudioSpecificConfig } from '../../../codec/aac/audio-specific-config.ts';
import { decodeAudioTag } from '../../../codec/flv/audio-tag.ts';
import { decodeVideoTag } from '../../../codec/flv/video-tag.ts';
import { hasIdr, parseAvcConfig, toFourByteLengths, withFourByteLengths } from '../../../codec/h264/avc-config.ts';
import { bytesEqual } from '../../../core/bytes.ts';
import { StreamsError } from '../../../core/errors.ts';
import type { AudioUnit, MediaUnit, VideoUnit } from '../../../core/media-unit.ts';
import { SampleCounter } from '../sample-counter.ts';
import { SourceClock } from '../source-clock.ts';

/**
 * Bodies of RTMP audio and video messages (the same as FLV tags) to access units. Video runs at 90 kHz, audio at its
 * sample rate: AAC frames follow each other without gap or overlap, by the count of their samples, as long as that
 * agrees with the timestamps. Throws MALFORMED, and UNSUPPORTED naming the codec.
 */
export class RtmpToUnits {
  readonly #clock = new SourceClock();
  #videoConfig: Uint8Array | undefined;
  #newVideoConfig: Uint8Array | undefined;
  #nalLengthSize = 4;
  #audioConfig: Uint8Array | undefined;
  #newAudioConfig: Uint8Array | undefined;
  #audio = { sampleRate: 0, frameLength: 1024 };
  #samples = new SampleCounter(0, 1024);

  /** `arrivedAt`: ms since the Unix epoch. */
  video(timestamp: number, body: Uint8Array, arrivedAt: number): VideoUnit | undefined {
    if (body.length === 0) return undefined;
    const tag = decodeVideoTag(body);
    if (tag.kind === 'end' || tag.kind === 'ignored') return undefined;
    if (tag.codec !== 'h264') throw unsupported('video', tag.codec, 'H.264');
    if (tag.kind === 'config') {
      if (this.#videoConfig !== undefined && bytesEqual(this.#videoConfig, tag.config)) return undefined;
      this.#nalLengthSize = parseAvcConfig(tag.config).nalLengthSize;
      this.#videoConfig = tag.config;
      this.#newVideoConfig = withFourByteLengths(tag.config);
      return undefined;
    }
    if (this.#videoConfig === undefined || tag.data.length === 0) return undefined;
    const data = toFourByteLengths(tag.data, this.#nalLengthSize);
    const dts = this.#clock.map('video', timestamp) * 90;
    const unit: VideoUnit = {
      kind: 'video',
      codec: 'h264',
      timescale: 90_000,
      dts,
      pts: dts + Math.max(0, tag.compositionOffset) * 90,
      keyframe: tag.keyframe && hasIdr(data),
      data,
      arrivedAt,
    };
    if (this.#newVideoConfig === undefined) return unit;
    const config = this.#newVideoConfig;
    this.#newVideoConfig = undefined;
    return { ...unit, config };
  }

  audio(timestamp: number, body: Uint8Array, arrivedAt: number): AudioUnit | undefined {
    if (body.length === 0) return undefined;
    const tag = decodeAudioTag(body);
    if (tag.kind === 'ignored') return undefined;
    if (tag.codec !== 'aac') throw unsupported('audio', tag.codec, 'AAC');
    if (tag.kind === 'config') {
      if (this.#audioConfig !== undefined && bytesEqual(this.#audioConfig, tag.config)) return undefined;
      this.#audio = parseAudioSpecificConfig(tag.config);
      this.#audioConfig = tag.config;
      this.#newAudioConfig = tag.config;
      this.#samples = new SampleCounter(this.#audio.sampleRate, this.#audio.frameLength);
      return undefined;
    }
    if (this.#audioConfig === undefined || tag.data.length === 0) return undefined;
    const { sampleRate, frameLength } = this.#audio;
    const said = Math.round((this.#clock.map('audio', timestamp) * sampleRate) / 1000);
    const dts = this.#samples.next(said);
    if (dts === undefined) return undefined;
    const unit: AudioUnit = {
      kind: 'audio',
      codec: 'aac',
      timescale: sampleRate,
      dts,
      pts: dts,
      duration: frameLength,
      data: tag.data,
      arrivedAt,
    };
    if (this.#newAudioConfig === undefined) return unit;
    const config = this.#newAudioConfig;
    this.#newAudioConfig = undefined;
    return { ...unit, config };
  }

  /** Either of them by the name of its message. */
  unit(kind: 'audio' | 'video', timestamp: number, body: Uint8Array, arrivedAt: number): MediaUnit | undefined {
    return kind === 'video' ? this.video(timestamp, body, arrivedAt) : this.audio(timestamp, body, arrivedAt);
  }
}

function unsupported(kind: string, codec: string, wanted: string): StreamsError {
  return new StreamsError('UNSUPPORTED', `${kind} codec ${codec} over RTMP is not supported yet`, {
    hint: `set the encoder to ${wanted}`,
  });
}

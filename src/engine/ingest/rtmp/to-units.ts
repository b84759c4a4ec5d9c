import { decodeAudioTag } from '../../../codec/flv/audio-tag.ts';
import { decodeVideoTag } from '../../../codec/flv/video-tag.ts';
import { bytesEqual } from '../../../core/bytes.ts';
import { StreamsError } from '../../../core/errors.ts';
import type { AudioUnit, MediaUnit, VideoUnit } from '../../../core/media-unit.ts';
import { AudioFrames } from '../audio-frames.ts';
import { type IsoVideo, isoVideo } from '../iso-video.ts';
import { SourceClock } from '../source-clock.ts';

/** Composition offsets beyond it (ms) are damage, not reordering. */
const maxOffset = 10_000;

/**
 * Bodies of RTMP audio and video messages (the same as FLV tags) to access units. Video runs at 90 kHz, audio at its
 * sample rate: frames follow each other without gap or overlap, by the count of their samples, as long as that
 * agrees with the timestamps. Throws MALFORMED, and UNSUPPORTED naming the codec.
 */
export class RtmpToUnits {
  readonly #clock = new SourceClock();
  #video: { codec: VideoUnit['codec']; config: Uint8Array; read: IsoVideo } | undefined;
  #audio: AudioFrames | undefined;

  /** `arrivedAt`: ms since the Unix epoch. */
  video(timestamp: number, body: Uint8Array, arrivedAt: number): VideoUnit | undefined {
    if (body.length === 0) return undefined;
    const tag = decodeVideoTag(body);
    if (tag.kind === 'end' || tag.kind === 'ignored') return undefined;
    const { codec } = tag;
    if (tag.kind === 'config') {
      const { config } = tag;
      if (this.#video?.codec === codec && bytesEqual(this.#video.config, config)) return undefined;
      this.#video = { codec, config, read: isoVideo(codec, config) };
      return undefined;
    }
    if (this.#video?.codec !== codec || tag.data.length === 0) return undefined;
    const picture = this.#video.read(tag.data, tag.keyframe);
    if (picture === undefined) return undefined;
    const dts = this.#clock.map('video', timestamp) * 90;
    const offset = Math.abs(tag.compositionOffset) > maxOffset ? 0 : tag.compositionOffset;
    return { kind: 'video', timescale: 90_000, dts, pts: dts + offset * 90, ...picture, arrivedAt };
  }

  audio(timestamp: number, body: Uint8Array, arrivedAt: number): AudioUnit | undefined {
    if (body.length === 0) return undefined;
    const tag = decodeAudioTag(body);
    if (tag.kind === 'ignored') return undefined;
    const { codec } = tag;
    if (codec !== 'aac' && codec !== 'opus')
      throw new StreamsError('UNSUPPORTED', `audio codec ${codec} over RTMP is not supported`, {
        hint: 'set the encoder to AAC or Opus',
      });
    if (tag.kind === 'config') {
      if (this.#audio?.codec === codec && bytesEqual(this.#audio.config, tag.config)) return undefined;
      this.#audio = new AudioFrames(codec, tag.config);
      return undefined;
    }
    if (this.#audio?.codec !== codec || tag.data.length === 0) return undefined;
    const said = Math.round((this.#clock.map('audio', timestamp) * this.#audio.sampleRate) / 1000);
    return this.#audio.unit(tag.data, said, arrivedAt);
  }

  /** Either of them by the name of its message. */
  unit(kind: 'audio' | 'video', timestamp: number, body: Uint8Array, arrivedAt: number): MediaUnit | undefined {
    return kind === 'video' ? this.video(timestamp, body, arrivedAt) : this.audio(timestamp, body, arrivedAt);
  }
}

import { writeFragment } from '../../codec/cmaf/fragment.ts';
import { writeInitSegment } from '../../codec/cmaf/init-segment.ts';
import { decodeVideoTag } from '../../codec/flv/video-tag.ts';
import { hasIdr, parseAvcConfig } from '../../codec/h264/avc-config.ts';
import type { TrackStore } from '../../session/track-store.ts';
import type { Rendition, SourceFrame } from './source-frame.ts';

const trackId = 1;

/**
 * A rung's FLV back to CMAF. Every picture has the exact time, arrival and group of the source picture it was made of, so that
 * groups of all rungs begin with the same picture and have the same numbers.
 */
export class VideoRendition implements Rendition {
  readonly #store: TrackStore;
  readonly #onConfig: (codec: string, init: Uint8Array) => void;
  readonly #frames = new Map<number, SourceFrame>();
  #timescale = 90_000;
  #init: Uint8Array | undefined;
  #sequence = 0;
  #lastTime = -1;
  #afterGroup = -1;
  /** Pictures may follow: this ffmpeg has begun a group. */
  #begun = false;
  groupId = -1;
  taken: number | undefined;

  /** `onConfig` hears the codec string and the init segment of each ffmpeg. */
  constructor(store: TrackStore, onConfig: (codec: string, init: Uint8Array) => void) {
    this.#store = store;
    this.#onConfig = onConfig;
  }

  reset(timescale: number, afterGroup: number): void {
    this.#timescale = timescale;
    this.#afterGroup = afterGroup;
    this.#begun = false;
    this.#init = undefined;
    this.#frames.clear();
    this.taken = undefined;
  }

  sent(frame: SourceFrame): void {
    this.#frames.set(frame.time, frame);
  }

  take(body: Uint8Array, timestamp: number): boolean {
    const tag = decodeVideoTag(body);
    if (tag.kind === 'config') this.#configure(tag.config);
    if (tag.kind !== 'frame' || this.#init === undefined) return false;
    const frame = this.#source(timestamp + tag.compositionOffset);
    if (frame === undefined) return false;
    this.taken = frame.time;
    const idr = tag.keyframe && hasIdr(tag.data);
    if (frame.keyframe && idr && frame.groupId > Math.max(this.groupId, this.#afterGroup)) this.#begin(frame.groupId);
    if (!this.#begun || frame.pts <= this.#lastTime) return true;
    this.#lastTime = frame.pts;
    this.#store.push(
      writeFragment({
        trackId,
        sequence: ++this.#sequence,
        decodeTime: frame.pts,
        duration: frame.duration,
        compositionOffset: 0,
        keyframe: idr,
        data: tag.data,
        wallClock: frame.wallClock,
      }),
    );
    return true;
  }

  #configure(config: Uint8Array): void {
    const { codec, sps } = parseAvcConfig(config);
    const { width, height } = sps;
    const timescale = this.#timescale;
    this.#init = writeInitSegment({ kind: 'video', codec: 'h264', trackId, timescale, width, height, config });
    this.#onConfig(codec, this.#init);
  }

  #begin(groupId: number): void {
    this.groupId = groupId;
    this.#begun = true;
    this.#store.begin(groupId);
    this.#store.push(this.#init!);
  }

  /** FLV counts whole milliseconds, as what ffmpeg was given does; a rounding on its way is forgiven. */
  #source(time: number): SourceFrame | undefined {
    const frame = this.#frames.get(time) ?? this.#frames.get(time - 1) ?? this.#frames.get(time + 1);
    if (frame === undefined) return undefined;
    // Pictures leave in the order of their times; those before it will not come any more.
    for (const older of this.#frames.values()) {
      if (older.time > frame.time) break;
      this.#frames.delete(older.time);
    }
    this.#frames.delete(frame.time);
    return frame;
  }
}

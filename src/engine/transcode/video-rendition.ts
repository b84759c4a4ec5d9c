import type { TrackStore } from '../../broadcast/track-store.ts';
import { writeInitSegment } from '../../codec/cmaf/init-segment.ts';
import { decodeVideoTag } from '../../codec/flv/video-tag.ts';
import { hasIdr, parseAvcConfig } from '../../codec/h264/avc-config.ts';
import { type OnConfig, RenditionGroups } from './rendition-groups.ts';
import type { RenditionWriter, SourceFrame } from './source-frame.ts';

const trackId = 1;

/**
 * A rung's FLV back to CMAF. Every picture has the exact time, arrival and group of the source picture it was made of, so that
 * groups of all rungs begin with the same picture and have the same numbers.
 */
export class VideoRendition implements RenditionWriter {
  readonly #groups: RenditionGroups;
  readonly #frames = new Map<number, SourceFrame>();
  #timescale = 90_000;
  writtenUntil: number | undefined;

  constructor(store: TrackStore, onConfig: OnConfig) {
    this.#groups = new RenditionGroups(trackId, store, onConfig);
  }

  get groupId(): number {
    return this.#groups.newest;
  }

  reset(timescale: number, afterGroup: number): void {
    this.#timescale = timescale;
    this.#groups.reset(afterGroup);
    this.#frames.clear();
    this.writtenUntil = undefined;
  }

  sent(frame: SourceFrame): void {
    this.#frames.set(frame.time, frame);
  }

  take(body: Uint8Array, timestamp: number): boolean {
    const tag = decodeVideoTag(body);
    if (tag.kind === 'config') this.#configure(tag.config);
    if (tag.kind !== 'frame' || !this.#groups.configured) return false;
    const frame = this.#source(timestamp + tag.compositionOffset);
    if (frame === undefined) return false;
    this.writtenUntil = frame.time;
    const keyframe = tag.keyframe && hasIdr(tag.data);
    if (frame.keyframe && keyframe) this.#groups.begin(frame.groupId);
    const { pts: decodeTime, duration, wallClock } = frame;
    this.#groups.push({ decodeTime, duration, keyframe, data: tag.data, wallClock });
    return true;
  }

  #configure(config: Uint8Array): void {
    const { codec, sps } = parseAvcConfig(config);
    const { width, height } = sps;
    const timescale = this.#timescale;
    const init = writeInitSegment({ kind: 'video', codec: 'h264', trackId, timescale, width, height, config });
    this.#groups.configure(codec, init);
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

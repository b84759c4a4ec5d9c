import type { MediaUnit } from '../core/media-unit.ts';

/** What an ingest brings: `bitrate` in bit/s of all its tracks, `fps` of the video, times in ms. */
export type IngestFigures = { bitrate: number; fps: number; keyframeIntervalMs: number | null };

const windowMs = 1000;

/** Measures one ingest, in windows of a second or more. */
export class IngestMeter {
  #since: number;
  #bytes = 0;
  #frames = 0;
  #keyframeAt: number | undefined;
  #keyframeIntervalMs: number | null = null;
  #figures: IngestFigures | undefined;

  /** `now` here and below: milliseconds of a clock that never goes back. */
  constructor(now: number) {
    this.#since = now;
  }

  push(unit: MediaUnit): void {
    this.#bytes += unit.data.length;
    if (unit.kind !== 'video') return;
    this.#frames++;
    if (!unit.keyframe) return;
    const at = (unit.dts * 1000) / unit.timescale;
    if (this.#keyframeAt !== undefined && at > this.#keyframeAt)
      this.#keyframeIntervalMs = Math.round(at - this.#keyframeAt);
    this.#keyframeAt = at;
  }

  /** The figures of the last whole window; undefined in the first one. */
  read(now: number): IngestFigures | undefined {
    const elapsed = now - this.#since;
    if (elapsed < windowMs) return this.#figures;
    this.#figures = {
      bitrate: Math.round((this.#bytes * 8000) / elapsed),
      fps: Math.round((this.#frames * 10_000) / elapsed) / 10,
      keyframeIntervalMs: this.#keyframeIntervalMs,
    };
    this.#since = now;
    this.#bytes = 0;
    this.#frames = 0;
    return this.#figures;
  }
}

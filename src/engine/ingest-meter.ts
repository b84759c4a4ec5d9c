import type { MediaUnit } from '../core/media-unit.ts';

/**
 * What an ingest brings: `bitrate` in bit/s of all its tracks, `fps` of the video, times in ms. `driftMs`: how much faster (or, below
 * zero, slower) its clock has gone than ours since it began; `avSkewMs`: how far its pictures are ahead of its sound.
 */
export type IngestFigures = {
  bitrate: number;
  fps: number;
  keyframeIntervalMs: number | null;
  driftMs: number | null;
  avSkewMs: number | null;
};

const windowMs = 1000;

/** Measures one ingest, in windows of a second or more. */
export class IngestMeter {
  #since: number;
  #bytes = 0;
  #frames = 0;
  #keyframeAt: number | undefined;
  #keyframeIntervalMs: number | null = null;
  /** Media time less our clock at the beginning, ms. */
  #offset: number | undefined;
  #driftMs: number | null = null;
  /** Newest decode times, ms. */
  readonly #newest: { video?: number; audio?: number } = {};
  #figures: IngestFigures | undefined;

  /** `now` here and below: milliseconds of a clock that never goes back. */
  constructor(now: number) {
    this.#since = now;
  }

  /** Another source takes over: its clock is another one. */
  restart(): void {
    this.#keyframeAt = undefined;
    this.#offset = undefined;
    this.#driftMs = null;
    delete this.#newest.video;
    delete this.#newest.audio;
  }

  push(unit: MediaUnit, now: number): void {
    this.#bytes += unit.data.length;
    const at = (unit.dts * 1000) / unit.timescale;
    // Pictures are measured by, where there are any.
    if (unit.kind === 'video' && this.#newest.video === undefined) this.#offset = undefined;
    if (unit.kind === 'video' || this.#newest.video === undefined) {
      this.#offset ??= at - now;
      this.#driftMs = Math.round(at - now - this.#offset);
    }
    this.#newest[unit.kind] = at;
    if (unit.kind !== 'video') return;
    this.#frames++;
    if (!unit.keyframe) return;
    if (this.#keyframeAt !== undefined && at > this.#keyframeAt)
      this.#keyframeIntervalMs = Math.round(at - this.#keyframeAt);
    this.#keyframeAt = at;
  }

  /** The figures of the last whole window; undefined in the first one. */
  read(now: number): IngestFigures | undefined {
    const elapsed = now - this.#since;
    if (elapsed < windowMs) return this.#figures;
    const { video, audio } = this.#newest;
    this.#figures = {
      bitrate: Math.round((this.#bytes * 8000) / elapsed),
      fps: Math.round((this.#frames * 10_000) / elapsed) / 10,
      keyframeIntervalMs: this.#keyframeIntervalMs,
      driftMs: this.#driftMs,
      avSkewMs: video === undefined || audio === undefined ? null : Math.round(video - audio),
    };
    this.#since = now;
    this.#bytes = 0;
    this.#frames = 0;
    return this.#figures;
  }
}

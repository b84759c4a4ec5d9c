import { parseFragment } from '../../src/codec/cmaf/fragment.ts';
import { parseInitSegment } from '../../src/codec/cmaf/init-segment.ts';
import type { ViewerObject } from '../../src/sdk/index.ts';

const perMinuteMs = 60_000;
/** What a viewer is sent when it joins is older for one track than for the other. */
const joinMs = 5000;

/** How far the pictures of one broadcast are ahead of its sound, as a viewer gets them: by the media times of what came last. */
export class TrackTimes {
  readonly #timescales = new Map<string, number>();
  readonly #newest: { video?: { media: number; at: number }; audio?: { media: number; at: number } } = {};
  readonly #began = performance.now();
  #largest = 0;
  /** Sum and count of each minute. */
  readonly #minutes: { sum: number; count: number }[] = [];

  object({ track, kind, objectId, payload }: ViewerObject): void {
    if (objectId === 0) {
      this.#timescales.set(track, parseInitSegment(payload)[0]?.timescale ?? 1);
      return;
    }
    const timescale = this.#timescales.get(track);
    const time = parseFragment(payload).tracks[0]?.baseMediaDecodeTime;
    if (timescale === undefined || time === undefined) return;
    const now = performance.now();
    this.#newest[kind] = { media: (time * 1000) / timescale, at: now };
    const skew = this.skewMs;
    if (skew === undefined || kind !== 'video') return;
    if (now - this.#began > joinMs) this.#largest = Math.max(this.#largest, Math.abs(skew));
    const minute = Math.floor((now - this.#began) / perMinuteMs);
    this.#minutes[minute] ??= { sum: 0, count: 0 };
    this.#minutes[minute].sum += skew;
    this.#minutes[minute].count++;
  }

  /** undefined until there is both. What came earlier has gone on in the meantime. */
  get skewMs(): number | undefined {
    const { video, audio } = this.#newest;
    if (video === undefined || audio === undefined) return undefined;
    return video.media - audio.media - (video.at - audio.at);
  }

  /** `drift`: mean of the last whole minute less that of the first. */
  summary(): { largest: number; drift: number } {
    const means = this.#minutes.filter(({ count }) => count > 0).map(({ sum, count }) => sum / count);
    const whole = means.length > 2 ? means.slice(0, -1) : means;
    return { largest: this.#largest, drift: (whole.at(-1) ?? 0) - (whole[0] ?? 0) };
  }
}

/** Least squares through (ms, bytes): bytes an hour. */
export function slopePerHour(points: readonly (readonly [at: number, bytes: number])[]): number {
  const mean = (index: 0 | 1) => points.reduce((sum, point) => sum + point[index], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  let above = 0;
  let below = 0;
  for (const [at, bytes] of points) {
    above += (at - x) * (bytes - y);
    below += (at - x) ** 2;
  }
  return below === 0 ? 0 : (above / below) * 3_600_000;
}

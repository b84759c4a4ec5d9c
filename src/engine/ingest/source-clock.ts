/**
 * One monotonic clock for all tracks of a sender whose timestamps are 32-bit milliseconds (RTMP, FLV): unwraps them, keeps
 * the tracks together, and turns a jump of the sender's clock into a step of one frame.
 */
export class SourceClock {
  #shift = 0;
  #newest: number | undefined;
  readonly #tracks = new Map<string, { source: number; out: number; step: number }>();
  #reference: number | undefined;

  /** Milliseconds on the sender's unwrapped clock, starting at the first timestamp taken as signed; never backwards per track. */
  map(track: string, timestamp: number): number {
    this.#reference ??= timestamp | 0;
    const known = this.#tracks.get(track);
    const before = known?.source ?? this.#newestSource() ?? this.#reference;
    const source = before + ((timestamp - before) | 0);
    let out = source + this.#shift;
    const floor = known === undefined ? out - maxForward : known.out - maxBackward;
    if (
      this.#newest !== undefined &&
      (out > this.#newest + maxForward || out < Math.max(floor, this.#newest - maxApart))
    ) {
      out = this.#newest + (known?.step ?? 20);
      this.#shift = out - source;
    }
    if (known !== undefined) {
      out = Math.max(out, known.out);
      const step = out - known.out;
      if (step > 0 && step < 1000) known.step = step;
      known.source = source;
      known.out = out;
    } else this.#tracks.set(track, { source, out, step: 20 });
    this.#newest = Math.max(this.#newest ?? out, out);
    return out;
  }

  #newestSource(): number | undefined {
    let newest: number | undefined;
    for (const track of this.#tracks.values()) newest = Math.max(newest ?? track.source, track.source);
    return newest;
  }
}

/** Beyond these the sender's clock has jumped (ms). A track may start late, or pause, while another goes on. */
const maxForward = 10_000;
const maxBackward = 1000;
const maxApart = 60_000;

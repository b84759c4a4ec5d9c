/** How a sender counts: ticks a millisecond, and bits of a timestamp. */
export type ClockForm = { ticksPerMs: number; bits: number };

/** RTMP and FLV. */
const milliseconds: ClockForm = { ticksPerMs: 1, bits: 32 };

/**
 * One monotonic clock for all tracks of a sender whose timestamps wrap: unwraps them, keeps the tracks together, and turns
 * a jump of the sender's clock into a step of one frame. Counts 32-bit milliseconds unless told otherwise.
 */
export class SourceClock {
  readonly #ticksPerMs: number;
  readonly #span: number;
  #shift = 0;
  #newest: number | undefined;
  readonly #tracks = new Map<string, { source: number; out: number; step: number }>();
  #reference: number | undefined;

  constructor({ ticksPerMs, bits }: ClockForm = milliseconds) {
    this.#ticksPerMs = ticksPerMs;
    this.#span = 2 ** bits;
  }

  /** Ticks on the sender's unwrapped clock, starting at the first timestamp taken as signed; never backwards per track. */
  map(track: string, timestamp: number): number {
    this.#reference ??= this.#signed(timestamp);
    const known = this.#tracks.get(track);
    const before = known?.source ?? this.#newestSource() ?? this.#reference;
    const source = before + this.#signed(timestamp - before);
    const scale = this.#ticksPerMs;
    let out = source + this.#shift;
    const floor = known === undefined ? out - maxForward * scale : known.out - maxBackward * scale;
    if (
      this.#newest !== undefined &&
      (out > this.#newest + maxForward * scale || out < Math.max(floor, this.#newest - maxApart * scale))
    ) {
      out = this.#newest + (known?.step ?? firstStep * scale);
      this.#shift = out - source;
    }
    if (known !== undefined) {
      out = Math.max(out, known.out);
      const step = out - known.out;
      if (step > 0 && step < 1000 * scale) known.step = step;
      known.source = source;
      known.out = out;
    } else this.#tracks.set(track, { source, out, step: firstStep * scale });
    this.#newest = Math.max(this.#newest ?? out, out);
    return out;
  }

  /** The value modulo the span of a timestamp, nearest to 0. */
  #signed(value: number): number {
    const modulo = ((value % this.#span) + this.#span) % this.#span;
    return modulo >= this.#span / 2 ? modulo - this.#span : modulo;
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
/** A frame of a track of which only one is known (ms). */
const firstStep = 20;

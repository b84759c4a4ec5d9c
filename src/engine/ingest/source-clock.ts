/** How a sender counts: ticks a millisecond, and bits of a timestamp. */
export type ClockForm = { ticksPerMs: number; bits: number };

/** RTMP and FLV. */
const milliseconds: ClockForm = { ticksPerMs: 1, bits: 32 };

type Track = {
  /** Newest timestamp, unwrapped, and what came out for it. */
  source: number;
  out: number;
  /** Distance of its frames. */
  step: number;
  /** `out` less `source`. */
  shift: number;
  /** Its shift less the common one: 0 unless its timestamps count from somewhere else than those of the other tracks. */
  base: number;
};

/**
 * One monotonic clock for all tracks of a sender whose timestamps wrap: unwraps them, keeps the tracks together, and turns
 * a jump of the sender's clock into a step of one frame. A track whose timestamps have nothing to do with those of the others
 * is joined to them where it begins. Counts 32-bit milliseconds unless told otherwise.
 */
export class SourceClock {
  readonly #ticksPerMs: number;
  readonly #span: number;
  /** What jumps of the sender's clock have added up to. */
  #shift = 0;
  #newest: number | undefined;
  readonly #tracks = new Map<string, Track>();

  constructor({ ticksPerMs, bits }: ClockForm = milliseconds) {
    this.#ticksPerMs = ticksPerMs;
    this.#span = 2 ** bits;
  }

  /** Ticks on the sender's unwrapped clock, starting at the first timestamp taken as signed; never backwards per track. */
  map(track: string, timestamp: number): number {
    const known = this.#tracks.get(track);
    let out: number;
    if (known === undefined) {
      const fresh = this.#join(timestamp);
      this.#tracks.set(track, fresh);
      out = fresh.out;
    } else out = this.#follow(known, timestamp);
    this.#newest = Math.max(this.#newest ?? out, out);
    return out;
  }

  #join(timestamp: number): Track {
    const step = firstStep * this.#ticksPerMs;
    const newest = this.#newest;
    if (newest === undefined) {
      const source = this.#signed(timestamp);
      return { source, out: source, step, shift: 0, base: 0 };
    }
    const window = maxForward * this.#ticksPerMs;
    for (const { source: near, shift, base } of this.#tracks.values()) {
      const source = near + this.#signed(timestamp - near);
      const out = source + shift;
      if (Math.abs(out - newest) <= window) return { source, out, step, shift, base };
    }
    const source = this.#signed(timestamp);
    const shift = newest - source;
    return { source, out: newest, step, shift, base: shift - this.#shift };
  }

  #follow(track: Track, timestamp: number): number {
    const scale = this.#ticksPerMs;
    const source = track.source + this.#signed(timestamp - track.source);
    const newest = this.#newest!;
    const latest = newest + maxForward * scale;
    const earliest = Math.max(track.out - maxBackward * scale, newest - maxApart * scale);
    const fits = (time: number) => time >= earliest && time <= latest;
    const jumped = !fits(source + track.shift);
    if (jumped) {
      const common = this.#shift + track.base;
      if (fits(source + common)) track.shift = common;
      else {
        // Another track that jumps as far comes out beside this one; one that jumped on its own has a base of its own.
        const isFirst = track.shift === common;
        track.shift = newest + track.step - source;
        if (isFirst) this.#shift = track.shift - track.base;
        else track.base = track.shift - this.#shift;
      }
    }
    const out = Math.max(source + track.shift, track.out);
    const step = out - track.out;
    if (!jumped && step > 0 && step < 1000 * scale) track.step = step;
    track.source = source;
    track.out = out;
    return out;
  }

  /** The value modulo the span of a timestamp, nearest to 0. */
  #signed(value: number): number {
    const modulo = ((value % this.#span) + this.#span) % this.#span;
    return modulo >= this.#span / 2 ? modulo - this.#span : modulo;
  }
}

/** Beyond these the sender's clock has jumped (ms). A track may pause while another goes on. */
const maxForward = 10_000;
const maxBackward = 1000;
const maxApart = 60_000;
/** A frame of a track of which only one is known (ms). */
const firstStep = 20;

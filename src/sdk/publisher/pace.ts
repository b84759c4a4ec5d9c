/** A step of the media clock beyond it is no pause, but another clock. */
const maxStepSeconds = 10;

/** Turns media time into waiting, so that media that lies ready goes out as if it were live. */
export class Pace {
  #offset: number | undefined;
  #last = 0;

  /** How long what is due at `seconds` of media time must wait; `now`: ms of a clock that never goes back. */
  waitMs(seconds: number, now: number): number {
    const step = seconds - this.#last;
    // Tracks are not exactly interleaved: a second back is no new clock.
    if (this.#offset === undefined || step > maxStepSeconds || step < -1) this.#offset = now - seconds * 1000;
    this.#last = Math.max(seconds, step < -1 ? seconds : this.#last);
    return Math.max(0, seconds * 1000 + this.#offset - now);
  }
}

/** So many samples make a correction (draft-sharabayko-srt-01 section 4.7). */
const driftSamples = 1000;

/** The sender's 32-bit microseconds on our clock (milliseconds), with its drift taken out. */
export class SenderClock {
  #newest: number;
  /** Our time at the sender's 0. */
  #base: number;
  #sum = 0;
  #samples = 0;

  /** A packet stamped `timestamp` came at `now`. */
  constructor(timestamp: number, now: number) {
    this.#newest = timestamp;
    this.#base = now - timestamp / 1000;
  }

  /** When the packet was sent, plus the one-way delay of the very first. */
  toLocal(timestamp: number): number {
    // The difference of 32-bit counters, taken as signed.
    this.#newest += (timestamp - this.#newest) | 0;
    return this.#base + this.#newest / 1000;
  }

  /** A packet that is never sent twice came at `now`. */
  observe(timestamp: number, now: number): void {
    this.#sum += now - this.toLocal(timestamp);
    if (++this.#samples < driftSamples) return;
    this.#base += this.#sum / this.#samples;
    this.#sum = 0;
    this.#samples = 0;
  }
}

/** How far timestamps (rounded and jittered by senders) may be from the count of samples before the count gives way. */
const maxDriftMs = 100;

/**
 * Times of audio frames by the count of their samples: without gap or overlap, as long as the count agrees with what the
 * sender says.
 */
export class SampleCounter {
  readonly #frameLength: number;
  readonly #allowed: number;
  #next: number | undefined;

  /** Hertz, and samples a frame. */
  constructor(sampleRate: number, frameLength: number) {
    this.#frameLength = frameLength;
    this.#allowed = (maxDriftMs * sampleRate) / 1000;
  }

  /**
   * Sample at which the next frame begins. `said`: the sender's word for it, if it has one; `frameLength`: where it differs. Undefined when there are more
   * frames than time: this one is left out, for what was sent cannot be taken back.
   */
  next(said: number | undefined, frameLength = this.#frameLength): number | undefined {
    const expected = this.#next ?? said;
    if (expected === undefined) return undefined;
    const drift = (said ?? expected) - expected;
    if (drift < -this.#allowed) return undefined;
    const sample = drift > this.#allowed ? said! : expected;
    this.#next = sample + frameLength;
    return sample;
  }
}

/**
 * How far timestamps may be from the count of samples before the count gives way, ms. A sender rounds and jitters its timestamps. A file
 * only rounds them, to a millisecond at most.
 */
const maxDriftMs = { live: 100, file: 2 };

/** Where frames come from: of a live source too many frames are left out, those of a file keep their times. */
export type FrameSource = keyof typeof maxDriftMs;

/**
 * Times of audio frames by the count of their samples: without gap or overlap, as long as the count agrees with what the
 * sender says.
 */
export class SampleCounter {
  readonly #frameLength: number;
  readonly #allowed: number;
  readonly #source: FrameSource;
  #begun: number | undefined;
  #next: number | undefined;

  /** Hertz, and samples a frame. */
  constructor(sampleRate: number, frameLength: number, source: FrameSource = 'live') {
    this.#frameLength = frameLength;
    this.#source = source;
    this.#allowed = (maxDriftMs[source] * sampleRate) / 1000;
  }

  /**
   * Sample at which the next frame begins. `said`: the sender's word for it, if it has one; `frameLength`: where it differs. Undefined when there are more
   * frames than time: this one is left out, for what was sent cannot be taken back.
   */
  next(said: number | undefined, frameLength = this.#frameLength): number | undefined {
    const expected = this.#next ?? said;
    if (expected === undefined) return undefined;
    const drift = (said ?? expected) - expected;
    const early = drift < -this.#allowed;
    if (early && (this.#source === 'live' || said! <= this.#begun!)) return undefined;
    const sample = early || drift > this.#allowed ? said! : expected;
    this.#begun = sample;
    this.#next = sample + frameLength;
    return sample;
  }
}

/** `capacity` at once, one more every `refillMs` milliseconds. */
export type Rate = { capacity: number; refillMs: number };

export interface RateLimit {
  /** Takes one; false when there was none left. `rate`: of this one, in place of the rate of all. */
  take(whom: string, rate?: Rate): Promise<boolean>;
}

/** Token buckets of one process by whom they slow down, bounded: the one that was quiet longest is forgotten first. */
export class TokenBuckets implements RateLimit {
  readonly #buckets = new Map<string, { tokens: number; at: number }>();
  readonly #now: () => number;
  readonly #rate: Rate;
  readonly #maxBuckets: number;

  constructor(now: () => number, rate: Rate, maxBuckets = 10_000) {
    this.#now = now;
    this.#rate = rate;
    this.#maxBuckets = maxBuckets;
  }

  async take(whom: string, { capacity, refillMs } = this.#rate): Promise<boolean> {
    const now = this.#now();
    const old = this.#buckets.get(whom);
    const refilled = old ? Math.min(capacity, old.tokens + (now - old.at) / refillMs) : capacity;
    this.#buckets.delete(whom);
    this.#buckets.set(whom, { tokens: Math.max(0, refilled - 1), at: now });
    if (this.#buckets.size > this.#maxBuckets) this.#buckets.delete(this.#buckets.keys().next().value!);
    return refilled >= 1;
  }
}

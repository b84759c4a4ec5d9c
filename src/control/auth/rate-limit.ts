/** Token buckets by whom they slow down, bounded: the one that was quiet longest is forgotten first. */
export class TokenBuckets {
  readonly #buckets = new Map<string, { tokens: number; at: number }>();
  readonly #now: () => number;
  readonly #capacity: number;
  readonly #refillMs: number;
  readonly #maxBuckets: number;

  /** `capacity` at once, one more every `refillMs` milliseconds. */
  constructor(now: () => number, options: { capacity?: number; refillMs?: number; maxAddresses?: number } = {}) {
    this.#now = now;
    this.#capacity = options.capacity ?? 20;
    this.#refillMs = options.refillMs ?? 3000;
    this.#maxBuckets = options.maxAddresses ?? 10_000;
  }

  /** Takes one; false when there was none left. */
  take(whom: string): boolean {
    const now = this.#now();
    const old = this.#buckets.get(whom);
    const refilled = old ? Math.min(this.#capacity, old.tokens + (now - old.at) / this.#refillMs) : this.#capacity;
    this.#buckets.delete(whom);
    this.#buckets.set(whom, { tokens: Math.max(0, refilled - 1), at: now });
    if (this.#buckets.size > this.#maxBuckets) this.#buckets.delete(this.#buckets.keys().next().value!);
    return refilled >= 1;
  }
}

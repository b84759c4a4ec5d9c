/** Token buckets by peer address, bounded: the address that was quiet longest is forgotten first. */
export class FailureLimiter {
  readonly #buckets = new Map<string, { tokens: number; at: number }>();
  readonly #now: () => number;
  readonly #capacity: number;
  readonly #refillMs: number;
  readonly #maxAddresses: number;

  /** `capacity` failures at once, one more every `refillMs` milliseconds. */
  constructor(now: () => number, options: { capacity?: number; refillMs?: number; maxAddresses?: number } = {}) {
    this.#now = now;
    this.#capacity = options.capacity ?? 20;
    this.#refillMs = options.refillMs ?? 3000;
    this.#maxAddresses = options.maxAddresses ?? 10_000;
  }

  /** Counts a failure; false when the address has had too many. Only failures count: a right key always passes. */
  fail(address: string): boolean {
    const now = this.#now();
    const old = this.#buckets.get(address);
    const refilled = old ? Math.min(this.#capacity, old.tokens + (now - old.at) / this.#refillMs) : this.#capacity;
    this.#buckets.delete(address);
    this.#buckets.set(address, { tokens: Math.max(0, refilled - 1), at: now });
    if (this.#buckets.size > this.#maxAddresses) this.#buckets.delete(this.#buckets.keys().next().value!);
    return refilled >= 1;
  }
}

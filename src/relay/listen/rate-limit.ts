export type RateLimitOptions = {
  readonly burst: number;
  readonly perSecond: number;
  /** Addresses remembered; beyond it the one seen longest ago is forgotten. Default 10 000. */
  readonly maxAddresses?: number;
  /** Milliseconds; for tests. */
  readonly now?: () => number;
};

type Bucket = { tokens: number; at: number };

/** One token bucket an address. */
export class AddressRateLimit {
  readonly #options: RateLimitOptions;
  readonly #buckets = new Map<string, Bucket>();
  readonly #now: () => number;

  constructor(options: RateLimitOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Takes a token; false when there is none. */
  take(address: string): boolean {
    const { burst, perSecond, maxAddresses = 10_000 } = this.#options;
    const now = this.#now();
    const bucket = this.#buckets.get(address) ?? { tokens: burst, at: now };
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) * perSecond) / 1000);
    bucket.at = now;
    // Set anew, so that the order of the map is that of last use.
    this.#buckets.delete(address);
    this.#buckets.set(address, bucket);
    if (this.#buckets.size > maxAddresses) {
      for (const oldest of this.#buckets.keys()) {
        this.#buckets.delete(oldest);
        break;
      }
    }
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }
}

/** `address:port` or `[v6]:port` without the port; IPv6 by /64, which is what one subscriber owns. */
export function addressKey(remoteAddress: string): string {
  const host = remoteAddress.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  if (!host.includes(':') || host.includes('.')) return host;
  const [head = '', tail] = host.split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const end = tail === '' ? [] : tail.split(':');
    while (groups.length + end.length < 8) groups.push('0');
    groups.push(...end);
  }
  return `${groups.slice(0, 4).join(':')}::/64`;
}

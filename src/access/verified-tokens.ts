import { StreamsError } from '../core/errors.ts';
import type { Grant } from './grant.ts';
import type { PlaybackTokens, TokenBearer } from './playback-token.ts';

export type VerifiedTokensOptions = {
  readonly tokens: Pick<PlaybackTokens, 'verify'>;
  /** A token not shown for this long is forgotten. Default 60 000. */
  readonly idleMs?: number;
  /** Remembered at most. Default 20 000. */
  readonly max?: number;
};

type Entry = { grant: Grant; usedAt: number; stop: () => void };

/**
 * Playback tokens shown with every request (HTTP) instead of once a session: each is verified once and then looked up, until it
 * expires, is revoked, loses its key, or nobody shows it any more.
 */
export class VerifiedTokens {
  readonly #options: VerifiedTokensOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #verifying = new Map<string, Promise<Grant>>();
  readonly #sweep: NodeJS.Timeout;

  constructor(options: VerifiedTokensOptions) {
    this.#options = options;
    this.#sweep = setInterval(() => this.#forgetIdle(), 10_000);
    this.#sweep.unref();
  }

  /** Throws UNAUTHORIZED (no token), and what PlaybackTokens.verify throws. */
  async grant(token: string, id: string, bearer: TokenBearer): Promise<Grant> {
    if (token === '') throw new StreamsError('UNAUTHORIZED', 'no token (?tok=)');
    const key = [id, bearer.remoteAddress ?? '', bearer.origin ?? '', token].join(' ');
    const known = this.#entries.get(key);
    if (known !== undefined && known.grant.lapsed() === undefined) {
      known.usedAt = performance.now();
      return known.grant;
    }
    // Players begin with several requests at once; a one-time token may be verified only once.
    const under = this.#verifying.get(key);
    if (under !== undefined) return under;
    const verifying = this.#options.tokens.verify(token, id, bearer).finally(() => this.#verifying.delete(key));
    this.#verifying.set(key, verifying);
    const grant = await verifying;
    this.#remember(key, grant);
    return grant;
  }

  close(): void {
    clearInterval(this.#sweep);
    for (const key of [...this.#entries.keys()]) this.#forget(key);
  }

  #remember(key: string, grant: Grant): void {
    this.#forget(key);
    const entry: Entry = { grant, usedAt: performance.now(), stop: () => {} };
    this.#entries.set(key, entry);
    entry.stop = grant.watch(() => this.#entries.delete(key));
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= (this.#options.max ?? 20_000)) break;
      this.#forget(oldest);
    }
  }

  #forget(key: string): void {
    this.#entries.get(key)?.stop();
    this.#entries.delete(key);
  }

  #forgetIdle(): void {
    const since = performance.now() - (this.#options.idleMs ?? 60_000);
    for (const [key, { usedAt }] of this.#entries) if (usedAt < since) this.#forget(key);
  }
}

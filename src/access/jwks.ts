import { type CryptoKey, importJWK, type JWK } from 'jose';
import { StreamsError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { Revocations } from './revocations.ts';

export type VerificationKey = {
  readonly kid: string;
  /** The only algorithm this key may be used with. */
  readonly alg: 'EdDSA' | 'RS256';
  readonly key: CryptoKey;
  /** The only org whose namespaces its tokens may name. */
  readonly org: string;
};

export type KeySetOptions = {
  readonly url: string;
  readonly logger: Logger;
  /** Tells while somebody holds the set that it is another one; without it the set is asked for every `refreshMs`. */
  readonly news?: Pick<Revocations, 'hold' | 'keysVersion'>;
  /** Default 2000. */
  readonly refreshMs?: number;
  /** Two requests are at least this far apart. Default 1000. */
  readonly minRefreshMs?: number;
  /** Default: the global fetch. */
  readonly fetch?: typeof fetch;
};

const timeoutMs = 5000;
const maxKeys = 10_000;

/**
 * The active playback keys of the control plane, by `kid`. Kept fresh while it is held (a session is open) and asked again,
 * at most once a second, for a key it does not know. While the control plane is away the last set stays in force.
 */
export class KeySet {
  readonly #options: KeySetOptions;
  #keys: Map<string, VerificationKey> | undefined;
  #text = '';
  #fetching: Promise<void> | undefined;
  #fetchedAt = Number.NEGATIVE_INFINITY;
  /** What `news` called the set before it was asked for. */
  #version: string | undefined;
  #release: (() => void) | undefined;
  #away = false;
  readonly #listeners = new Set<() => void>();

  constructor(options: KeySetOptions) {
    this.#options = options;
  }

  /**
   * undefined: no active key of that id, as of a moment after the call (up to a second later for one we do not know).
   * Throws API_UNREACHABLE when no set could be had yet.
   */
  async find(kid: string): Promise<VerificationKey | undefined> {
    // The answer to a request already under way may be older than the key.
    for (let attempt = 0; attempt < 2 && this.#keys?.get(kid) === undefined; attempt++) {
      const joined = this.#fetching !== undefined;
      await this.#refresh();
      if (!joined) break;
    }
    if (this.#keys === undefined) throw new StreamsError('API_UNREACHABLE', 'the control plane does not answer');
    return this.#keys.get(kid);
  }

  /** Still in the set, as far as we know. */
  isActive(kid: string): boolean {
    return this.#keys?.has(kid) === true;
  }

  /** Keeps the set fresh and calls `changed` whenever it is another one. Returns how to let go. */
  hold(changed: () => void): () => void {
    const listener = (): void => changed();
    this.#listeners.add(listener);
    this.#release ??= this.#follow();
    return () => {
      if (!this.#listeners.delete(listener) || this.#listeners.size > 0) return;
      this.#release?.();
      this.#release = undefined;
    };
  }

  #follow(): () => void {
    const { news } = this.#options;
    const timer = setInterval(() => {
      if (news === undefined || this.#away || news.keysVersion !== this.#version) void this.#refresh();
    }, this.#options.refreshMs ?? 2000);
    timer.unref();
    const ignore = news?.hold(() => {
      if (news.keysVersion !== this.#version) void this.#refresh();
    });
    return () => {
      clearInterval(timer);
      ignore?.();
    };
  }

  /** Joins the request that waits or is under way; a new one leaves no sooner than a second after the last. */
  #refresh(): Promise<void> {
    this.#fetching ??= this.#fetchInTime().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #fetchInTime(): Promise<void> {
    const waitMs = this.#fetchedAt + (this.#options.minRefreshMs ?? 1000) - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    await this.#fetch();
  }

  async #fetch(): Promise<void> {
    this.#fetchedAt = performance.now();
    const version = this.#options.news?.keysVersion;
    try {
      const response = await (this.#options.fetch ?? fetch)(this.#options.url, {
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
      });
      const text = await response.text();
      if (!response.ok) throw new StreamsError('API_UNREACHABLE', `status ${response.status}`);
      if (text !== this.#text) {
        this.#keys = await importKeys(text);
        this.#text = text;
        for (const listener of [...this.#listeners]) listener();
      }
      this.#version = version;
      if (this.#away) this.#options.logger.info('signing keys can be fetched again');
      this.#away = false;
    } catch (error) {
      if (!this.#away) {
        const reason = error instanceof Error ? error.message : String(error);
        this.#options.logger.warn('signing keys cannot be fetched, the last known ones stay in force', { reason });
      }
      this.#away = true;
    }
  }
}

async function importKeys(text: string): Promise<Map<string, VerificationKey>> {
  const set = JSON.parse(text) as { keys?: unknown };
  if (!Array.isArray(set.keys) || set.keys.length > maxKeys) throw new StreamsError('MALFORMED', 'not a JWK set');
  const keys = new Map<string, VerificationKey>();
  for (const jwk of set.keys as (JWK & { org?: unknown })[]) {
    const alg = algorithmOf(jwk);
    const { kid, org } = jwk;
    // A key that is nobody's would be everybody's.
    if (alg === undefined || typeof kid !== 'string' || typeof org !== 'string' || jwk.d !== undefined) continue;
    const key = await importJWK(jwk, alg);
    if (!(key instanceof Uint8Array)) keys.set(kid, { kid, alg, key, org });
  }
  return keys;
}

/** By the kind of key, so that no header can choose. `Ed25519` is the newer name of EdDSA on that curve (RFC 9864). */
function algorithmOf(jwk: JWK): VerificationKey['alg'] | undefined {
  if (jwk.use !== undefined && jwk.use !== 'sig') return undefined;
  if (jwk.kty === 'OKP' && jwk.crv === 'Ed25519') {
    return jwk.alg === undefined || jwk.alg === 'EdDSA' || jwk.alg === 'Ed25519' ? 'EdDSA' : undefined;
  }
  if (jwk.kty === 'RSA') return jwk.alg === undefined || jwk.alg === 'RS256' ? 'RS256' : undefined;
  return undefined;
}

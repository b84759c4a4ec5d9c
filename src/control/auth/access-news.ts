import { createHash } from 'node:crypto';
import { delay } from '../../core/delay.ts';
import { lateMs } from '../store/revocations.ts';
import type { Db } from '../store/schema.ts';
import { activeSigningKeys } from './jwks.ts';

const lookMs = 400;

/** Of the active signing keys, and of `all` that sessions are checked with. Equal ones mean that nothing is new. */
export type AccessVersion = { readonly keys: string; readonly all: string };

/**
 * Tells relays and engines when what they check sessions with has changed. However many wait, the store is looked at once for
 * all of them; what another control process wrote counts too.
 */
export class AccessNews {
  readonly #db: Db;
  readonly #now: () => number;
  #looked: Promise<AccessVersion> | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(db: Db, now: () => number) {
    this.#db = db;
    this.#now = now;
  }

  /** As of a moment ago. */
  version(): Promise<AccessVersion> {
    if (this.#looked === undefined || performance.now() - this.#lookedAt >= lookMs) {
      this.#lookedAt = performance.now();
      this.#looked = this.#look();
    }
    return this.#looked;
  }

  /** Resolves when `all` is no longer what it was, or when `signal` fires. */
  async newerThan(all: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && (await this.version()).all === all) await delay(lookMs, signal);
  }

  async #look(): Promise<AccessVersion> {
    const now = this.#now();
    const revoked = await this.#db
      .selectFrom('revocations')
      .select('id')
      .where('at', '>=', now - lateMs)
      .orderBy('id')
      .execute();
    const { count, newest } = await activeSigningKeys(this.#db, now)
      .select(({ fn }) => [fn.countAll().as('count'), fn.max('created_at').as('newest')])
      .executeTakeFirstOrThrow();
    const keys = `${count}-${newest}`;
    const ids = createHash('sha256').update(revoked.map(({ id }) => id).join());
    return { keys, all: `${keys}-${ids.digest('base64url').slice(0, 16)}` };
  }
}

import { sql } from 'kysely';
import type { Db } from '../store/schema.ts';
import type { Rate, RateLimit } from './rate-limit.ts';

/**
 * The same limit for every process on one store (generic cell rate algorithm, ITU-T I.371): a row says when the caller's
 * bucket is full again. One statement decides, so that two processes cannot both give the last one away.
 */
export class StoredRateLimit implements RateLimit {
  readonly #db: Db;
  readonly #now: () => number;
  readonly #name: string;
  readonly #rate: Rate;

  /** `name` keeps limits apart that share the table. */
  constructor(db: Db, now: () => number, name: string, rate: Rate) {
    this.#db = db;
    this.#now = now;
    this.#name = name;
    this.#rate = rate;
  }

  async take(whom: string, { capacity, refillMs } = this.#rate): Promise<boolean> {
    const now = this.#now();
    // The row has whole milliseconds: a fraction is one with that probability.
    const step = Math.floor(refillMs + Math.random());
    const full = sql<number>`case when rate_limits.full_at > ${now} then rate_limits.full_at else ${now} end`;
    const taken = await this.#db
      .insertInto('rate_limits')
      .values({ name: this.#name, whom, full_at: now + step })
      .onConflict((conflict) =>
        conflict
          .columns(['name', 'whom'])
          .doUpdateSet({ full_at: sql<number>`${full} + ${step}` })
          .where(sql<boolean>`${full} <= ${now + Math.floor((capacity - 1) * refillMs)}`),
      )
      .returning('full_at')
      .executeTakeFirst();
    return taken !== undefined;
  }
}

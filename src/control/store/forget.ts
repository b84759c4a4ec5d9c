import { sql } from 'kysely';
import { delay } from '../../core/delay.ts';
import type { Logger } from '../../core/log.ts';
import { type KeptTable, parseRetention } from '../retention.ts';
import type { Db, Tables } from './schema.ts';

/** Relays take a token a little past its end. */
const graceMs = 60_000;
const idempotencyKeyMs = 24 * 3_600_000;
const eventMs = 30 * 86_400_000;

/** Rows of one statement: few enough that whoever wants the store meanwhile waits some milliseconds. */
const chunk = 500;
/** Between two chunks, so that cleaning takes no more than a share of the store. */
const pauseMs = 20;
const intervalMs = 60_000;

/** Throws away, every minute, what can no longer matter. */
export class Cleaner {
  readonly #timer: NodeJS.Timeout;
  readonly #closing = new AbortController();
  #running: Promise<void> | undefined;

  constructor(db: Db, now: () => number, logger: Logger, retention = parseRetention()) {
    this.#timer = setInterval(() => {
      this.#running ??= forgetExpired(db, now(), this.#closing.signal, retention)
        .catch((error: Error) => logger.error('clean-up failed', { detail: error.message }))
        .finally(() => {
          this.#running = undefined;
        });
    }, intervalMs);
    this.#timer.unref();
  }

  /** Ends after the chunk that is being thrown away. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#closing.abort();
    await this.#running;
  }
}

/** What is thrown away: the rows of `table` with `column` below a time, found by an index, named by their key. */
type Expiry = { table: keyof Tables; key: readonly string[]; column: string; keepMs: number };

const always: readonly Expiry[] = [
  { table: 'rate_limits', key: ['name', 'whom'], column: 'full_at', keepMs: 0 },
  { table: 'revocations', key: ['id'], column: 'expires_at', keepMs: 0 },
  { table: 'redeemed_tokens', key: ['org_id', 'jti'], column: 'expires_at', keepMs: graceMs },
  { table: 'idempotency_keys', key: ['org_id', 'key'], column: 'created_at', keepMs: idempotencyKeyMs - 1 },
  { table: 'events', key: ['id'], column: 'at', keepMs: eventMs },
];

/** How long these are kept is settable. A session goes by when it was heard of last: one that goes on is never too old. */
const byRetention: readonly (Omit<Expiry, 'keepMs'> & { table: KeptTable })[] = [
  { table: 'player_events', key: ['org_id', 'id'], column: 'at' },
  { table: 'viewer_sessions', key: ['id'], column: 'updated_at' },
  { table: 'broadcast_sessions', key: ['id'], column: 'updated_at' },
  { table: 'audit_log', key: ['id'], column: 'at' },
];

/** Throws away what can no longer matter, some rows at a time, until nothing is left of it or `signal` fires. */
export async function forgetExpired(
  db: Db,
  now: number,
  signal = new AbortController().signal,
  retention = parseRetention(),
): Promise<void> {
  const kept = byRetention.flatMap((each) => {
    const keepMs = retention[each.table];
    return keepMs === undefined ? [] : [{ ...each, keepMs }];
  });
  for (const expiry of [...always, ...kept]) {
    while (!signal.aborted && (await forgetChunk(db, expiry, now)) === chunk) await delay(pauseMs, signal);
  }
}

/** Returns how many rows went. */
async function forgetChunk(db: Db, { table, key, column, keepMs }: Expiry, now: number): Promise<number> {
  const columns = sql.join(key.map((name) => sql.ref(name)));
  const gone = await sql`
    delete from ${sql.table(table)} where (${columns}) in (
      select ${columns} from ${sql.table(table)} where ${sql.ref(column)} < ${now - keepMs}
      order by ${sql.ref(column)} limit ${sql.lit(chunk)}
    )`.execute(db);
  return Number(gone.numAffectedRows ?? 0);
}

import type { Kysely } from 'kysely';
import { StreamsError } from '../../core/errors.ts';
import { initial } from './migrations/0001-initial.ts';
import { liveInputControls } from './migrations/0002-live-input-controls.ts';
import { revocations } from './migrations/0003-revocations.ts';
import { idempotency } from './migrations/0004-idempotency.ts';
import { webhooks } from './migrations/0005-webhooks.ts';
import { analytics } from './migrations/0006-analytics.ts';
import { assets } from './migrations/0007-assets.ts';
import { recording } from './migrations/0008-recording.ts';
import { rateLimits } from './migrations/0009-rate-limits.ts';
import { sessionFigures } from './migrations/0010-session-figures.ts';
import { ladder } from './migrations/0011-ladder.ts';
import { claims } from './migrations/0012-claims.ts';
import { webhookHealth } from './migrations/0013-webhook-health.ts';
import { indexesOfSize } from './migrations/0014-indexes-of-size.ts';
import { quotas } from './migrations/0015-quotas.ts';
import { ages } from './migrations/0016-ages.ts';
import type { Tables } from './schema.ts';

/** One step of the schema. `up` runs in a transaction of its own, together with the row that records it. */
export type Migration = { number: number; name: string; up(db: Kysely<unknown>): Promise<void> };

/** In order; a released one is never edited. */
export const migrations: readonly Migration[] = [
  { number: 1, name: 'initial', up: initial },
  { number: 2, name: 'live input controls', up: liveInputControls },
  { number: 3, name: 'revocations', up: revocations },
  { number: 4, name: 'idempotency', up: idempotency },
  { number: 5, name: 'webhooks', up: webhooks },
  { number: 6, name: 'analytics', up: analytics },
  { number: 7, name: 'assets', up: assets },
  { number: 8, name: 'recording', up: recording },
  { number: 9, name: 'rate limits', up: rateLimits },
  { number: 10, name: 'session figures', up: sessionFigures },
  { number: 11, name: 'ladder', up: ladder },
  { number: 12, name: 'claims', up: claims },
  { number: 13, name: 'webhook health', up: webhookHealth },
  { number: 14, name: 'indexes of size', up: indexesOfSize },
  { number: 15, name: 'quotas', up: quotas },
  { number: 16, name: 'ages', up: ages },
];

type Recorded = { schema_migrations: { number: number; name: string; applied_at: number } };

/**
 * Brings the schema forward. Each step is applied wholly or not at all, once, however many processes start together.
 * Throws CONFIG_INVALID when the store was written by a newer program.
 */
export async function migrate(db: Kysely<Tables>, steps: readonly Migration[] = migrations): Promise<void> {
  const store = db as unknown as Kysely<Recorded>;
  await store.schema
    .createTable('schema_migrations')
    .ifNotExists()
    .addColumn('number', 'integer', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('applied_at', 'bigint', (column) => column.notNull())
    .execute();
  const newest = steps.at(-1)?.number ?? 0;
  const found = await highest(store);
  if (found > newest)
    throw new StreamsError('CONFIG_INVALID', `the store has schema ${found}, this program knows ${newest}`, {
      hint: 'Run the newer version of streams that wrote it, or pass another --data-dir.',
    });
  for (const step of steps) {
    if (step.number <= found) continue;
    await store.transaction().execute(async (transaction) => {
      if ((await highest(transaction)) >= step.number) return; // another process was first
      await step.up(transaction as unknown as Kysely<unknown>);
      await transaction
        .insertInto('schema_migrations')
        .values({ number: step.number, name: step.name, applied_at: Date.now() })
        .execute();
    });
  }
}

async function highest(db: Kysely<Recorded>): Promise<number> {
  const row = await db
    .selectFrom('schema_migrations')
    .select((eb) => eb.fn.max('number').as('number'))
    .executeTakeFirst();
  return Number(row?.number ?? 0);
}

import type { Kysely } from 'kysely';

/** Until when the engine in `engine_id` holds an input, unless it says so again. */
export async function claims(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('live_inputs').addColumn('claimed_until', 'bigint').execute();
}

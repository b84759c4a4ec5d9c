import type { Kysely } from 'kysely';

/** Inputs whose broadcasts are kept, and the assets that come of them. */
export async function recording(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('live_inputs')
    .addColumn('record', 'integer', (c) => c.notNull().defaultTo(0))
    .execute();
  await db.schema.alterTable('assets').addColumn('input_id', 'text').execute();
}

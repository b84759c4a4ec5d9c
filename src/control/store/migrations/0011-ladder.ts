import type { Kysely } from 'kysely';

/** Which renditions an input has beside its source. */
export async function ladder(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('live_inputs')
    .addColumn('ladder', 'text', (c) => c.notNull().defaultTo('none'))
    .execute();
}

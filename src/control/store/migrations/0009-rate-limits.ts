import type { Kysely } from 'kysely';

export async function rateLimits(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('rate_limits')
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('whom', 'text', (c) => c.notNull())
    .addColumn('full_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('rate_limits_key', ['name', 'whom'])
    .execute();
}

import type { Kysely } from 'kysely';

/** What an org may have where it is not the default, and what unfinished uploads promise. */
export async function quotas(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('quotas')
    .addColumn('org_id', 'text', (c) => c.notNull().references('orgs.id'))
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('value', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('quotas_key', ['org_id', 'name'])
    .execute();
  await db.schema.alterTable('assets').addColumn('promised_bytes', 'bigint').execute();
}

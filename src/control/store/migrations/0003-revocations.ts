import type { Kysely } from 'kysely';

export async function revocations(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('revocations')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('org_id', 'text', (c) => c.notNull().references('orgs.id'))
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('value', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('revocations_page').on('revocations').columns(['org_id', 'at', 'id']).execute();
  await db.schema.createIndex('revocations_news').on('revocations').columns(['at', 'id']).execute();
  await db.schema
    .createTable('redeemed_tokens')
    .addColumn('org_id', 'text', (c) => c.notNull())
    .addColumn('jti', 'text', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('redeemed_tokens_pkey', ['org_id', 'jti'])
    .execute();
}

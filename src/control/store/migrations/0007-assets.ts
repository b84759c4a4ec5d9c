import type { Kysely } from 'kysely';

export async function assets(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('assets')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('org_id', 'text', (c) => c.notNull().references('orgs.id'))
    .addColumn('playback_id', 'text', (c) => c.notNull().unique())
    .addColumn('external_asset_id', 'text')
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('status', 'text', (c) => c.notNull())
    .addColumn('percent', 'integer', (c) => c.notNull())
    .addColumn('error_reason', 'text')
    .addColumn('duration_ms', 'bigint')
    .addColumn('bytes', 'bigint')
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .addUniqueConstraint('assets_external', ['org_id', 'external_asset_id'])
    .execute();
  await db.schema.createIndex('assets_page').on('assets').columns(['org_id', 'created_at', 'id']).execute();
}

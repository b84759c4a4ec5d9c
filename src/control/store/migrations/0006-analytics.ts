import type { Kysely } from 'kysely';

export async function analytics(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('broadcast_sessions')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('org_id', 'text', (c) => c.notNull())
    .addColumn('input_id', 'text', (c) => c.notNull())
    .addColumn('node', 'text', (c) => c.notNull())
    .addColumn('started_at', 'bigint', (c) => c.notNull())
    .addColumn('ended_at', 'bigint')
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .addColumn('bytes', 'bigint', (c) => c.notNull())
    .addColumn('objects', 'bigint', (c) => c.notNull())
    .addColumn('reason', 'text')
    .execute();
  await db.schema
    .createTable('viewer_sessions')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('org_id', 'text', (c) => c.notNull())
    .addColumn('input_id', 'text', (c) => c.notNull())
    .addColumn('viewer', 'text', (c) => c.notNull())
    .addColumn('node', 'text', (c) => c.notNull())
    .addColumn('transport', 'text', (c) => c.notNull())
    .addColumn('started_at', 'bigint', (c) => c.notNull())
    .addColumn('ended_at', 'bigint')
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .addColumn('startup_ms', 'integer')
    .addColumn('bytes', 'bigint', (c) => c.notNull())
    .addColumn('objects', 'bigint', (c) => c.notNull())
    .addColumn('dropped', 'bigint', (c) => c.notNull())
    .addColumn('reason', 'text')
    .execute();
  for (const table of ['broadcast_sessions', 'viewer_sessions'])
    await db.schema.createIndex(`${table}_page`).on(table).columns(['org_id', 'started_at', 'id']).execute();
  await db.schema
    .createIndex('viewer_sessions_open')
    .on('viewer_sessions')
    .columns(['org_id', 'ended_at', 'updated_at'])
    .execute();
  await db.schema
    .createTable('player_events')
    .addColumn('org_id', 'text', (c) => c.notNull())
    .addColumn('id', 'text', (c) => c.notNull())
    .addColumn('type', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('input_id', 'text')
    .addColumn('viewer', 'text')
    .addColumn('data', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('player_events_pkey', ['org_id', 'id'])
    .execute();
  await db.schema.createIndex('player_events_page').on('player_events').columns(['org_id', 'at', 'id']).execute();
}

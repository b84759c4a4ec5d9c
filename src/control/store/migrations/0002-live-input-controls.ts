import type { Kysely } from 'kysely';

/** Inputs that can be disabled and that say why they failed and how they run. */
export async function liveInputControls(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('live_inputs').addColumn('disabled_at', 'bigint').execute();
  await db.schema.alterTable('live_inputs').addColumn('error_reason', 'text').execute();
  await db.schema.alterTable('live_inputs').addColumn('ingest_stats', 'text').execute();
  await db.schema.alterTable('live_inputs').addColumn('ingest_stats_at', 'bigint').execute();
}

import type { Kysely } from 'kysely';

/** For what is asked of tables that grow: each of these looked at all rows of an org, or of everybody. */
const indexes: readonly { name: string; table: string; columns: string[] }[] = [
  // Ends and begins of sessions come from these alone: who watched when, without a look at the rows.
  {
    name: 'viewer_sessions_updated',
    table: 'viewer_sessions',
    columns: ['org_id', 'updated_at', 'started_at', 'ended_at'],
  },
  { name: 'viewer_sessions_input', table: 'viewer_sessions', columns: ['org_id', 'input_id', 'started_at', 'id'] },
  { name: 'viewer_sessions_viewer', table: 'viewer_sessions', columns: ['org_id', 'viewer', 'started_at', 'id'] },
  {
    name: 'broadcast_sessions_input',
    table: 'broadcast_sessions',
    columns: ['org_id', 'input_id', 'started_at', 'id'],
  },
  { name: 'player_events_input', table: 'player_events', columns: ['org_id', 'input_id', 'at', 'id'] },
  { name: 'player_events_viewer', table: 'player_events', columns: ['org_id', 'viewer', 'at', 'id'] },
  { name: 'player_events_age', table: 'player_events', columns: ['at'] },
  { name: 'audit_log_target', table: 'audit_log', columns: ['org_id', 'target', 'at', 'id'] },
  { name: 'audit_log_actor', table: 'audit_log', columns: ['org_id', 'actor', 'at', 'id'] },
  { name: 'live_inputs_status_page', table: 'live_inputs', columns: ['org_id', 'status', 'created_at', 'id'] },
  { name: 'assets_status_page', table: 'assets', columns: ['org_id', 'status', 'created_at', 'id'] },
  { name: 'revocations_age', table: 'revocations', columns: ['expires_at'] },
  { name: 'redeemed_tokens_age', table: 'redeemed_tokens', columns: ['expires_at'] },
  { name: 'rate_limits_age', table: 'rate_limits', columns: ['full_at'] },
];

export async function indexesOfSize(db: Kysely<unknown>): Promise<void> {
  for (const { name, table, columns } of indexes)
    await db.schema.createIndex(name).on(table).columns(columns).execute();
}

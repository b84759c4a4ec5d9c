import type { Kysely } from 'kysely';

/** A way to the oldest rows of what is thrown away by age. */
export async function ages(db: Kysely<unknown>): Promise<void> {
  await db.schema.createIndex('viewer_sessions_age').on('viewer_sessions').column('updated_at').execute();
  await db.schema.createIndex('broadcast_sessions_age').on('broadcast_sessions').column('updated_at').execute();
  await db.schema.createIndex('audit_log_age').on('audit_log').column('at').execute();
}

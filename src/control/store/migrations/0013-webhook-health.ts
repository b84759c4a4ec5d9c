import { type Kysely, sql } from 'kysely';

/** Webhooks that fail, since when and how often; and a way to what is pending of each that does not lead past what others have pending. */
export async function webhookHealth(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('webhooks').addColumn('failing_since', 'bigint').execute();
  await db.schema
    .alterTable('webhooks')
    .addColumn('failures', 'integer', (c) => c.notNull().defaultTo(0))
    .execute();
  await db.schema.alterTable('webhooks').addColumn('disabled_at', 'bigint').execute();
  await db.schema
    .createIndex('webhook_deliveries_pending')
    .on('webhook_deliveries')
    .columns(['webhook_id', 'next_attempt_at'])
    .where(sql`status`, '=', sql.lit('pending'))
    .execute();
  await db.schema.dropIndex('webhook_deliveries_due').execute(); // over all webhooks: nothing asks so any more
}

import type { Kysely } from 'kysely';

export async function sessionFigures(db: Kysely<unknown>): Promise<void> {
  const table = (name: string) => db.schema.alterTable(name);
  await table('broadcast_sessions').addColumn('transport', 'text').execute();
  for (const name of ['broadcast_sessions', 'viewer_sessions'])
    await table(name).addColumn('version', 'text').execute();
  await table('viewer_sessions')
    .addColumn('groups_dropped', 'bigint', (c) => c.notNull().defaultTo(0))
    .execute();
}

import type { BroadcastSessionRow, Db, PlayerEventRow, ViewerSessionRow } from './schema.ts';

/** Of one statement: well below the parameters that SQLite and Postgres take. */
const chunk = 500;

/** Rows by id: a newer report of a session replaces the older one, an older or repeated one changes nothing. */
export async function storeSessions(
  db: Db,
  rows: { broadcasts: readonly BroadcastSessionRow[]; viewers: readonly ViewerSessionRow[] },
): Promise<void> {
  for (const values of chunks(newestById(rows.broadcasts)))
    await db
      .insertInto('broadcast_sessions')
      .values(values)
      .onConflict((conflict) =>
        conflict
          .column('id')
          .doUpdateSet((eb) => ({
            ended_at: eb.ref('excluded.ended_at'),
            updated_at: eb.ref('excluded.updated_at'),
            bytes: eb.ref('excluded.bytes'),
            objects: eb.ref('excluded.objects'),
            reason: eb.ref('excluded.reason'),
          }))
          .whereRef('excluded.updated_at', '>', 'broadcast_sessions.updated_at')
          .whereRef('excluded.org_id', '=', 'broadcast_sessions.org_id'),
      )
      .execute();
  for (const values of chunks(newestById(rows.viewers)))
    await db
      .insertInto('viewer_sessions')
      .values(values)
      .onConflict((conflict) =>
        conflict
          .column('id')
          .doUpdateSet((eb) => ({
            ended_at: eb.ref('excluded.ended_at'),
            updated_at: eb.ref('excluded.updated_at'),
            startup_ms: eb.ref('excluded.startup_ms'),
            bytes: eb.ref('excluded.bytes'),
            objects: eb.ref('excluded.objects'),
            dropped: eb.ref('excluded.dropped'),
            groups_dropped: eb.ref('excluded.groups_dropped'),
            reason: eb.ref('excluded.reason'),
          }))
          .whereRef('excluded.updated_at', '>', 'viewer_sessions.updated_at')
          .whereRef('excluded.org_id', '=', 'viewer_sessions.org_id'),
      )
      .execute();
}

/** Answers how many were new; an id that is known is not stored again. */
export async function storePlayerEvents(db: Db, rows: readonly PlayerEventRow[]): Promise<number> {
  let stored = 0;
  for (const values of chunks(rows)) {
    const inserted = await db
      .insertInto('player_events')
      .values(values)
      .onConflict((conflict) => conflict.columns(['org_id', 'id']).doNothing())
      .returning('id')
      .execute();
    stored += inserted.length;
  }
  return stored;
}

function newestById<Row extends { id: string; updated_at: number }>(rows: readonly Row[]): Row[] {
  const newest = new Map<string, Row>();
  for (const row of rows) {
    const known = newest.get(row.id);
    if (known === undefined || row.updated_at > known.updated_at) newest.set(row.id, row);
  }
  return [...newest.values()];
}

function chunks<Row>(rows: readonly Row[]): Row[][] {
  const parts: Row[][] = [];
  for (let i = 0; i < rows.length; i += chunk) parts.push(rows.slice(i, i + chunk));
  return parts;
}

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { BroadcastSessionRow, Db, PlayerEventRow, ViewerSessionRow } from './schema.ts';
import { storeApart } from './store-apart.ts';

/** Of one statement: well below the parameters that SQLite and Postgres take. */
const chunk = 500;

/** A row that the store cannot take, and what it says of it. */
export type RefusedRow = { id: string; reason: string };

/**
 * Rows by id: a newer report of a session replaces the older one, an older or repeated one changes nothing. Returns those that cannot be
 * stored; the others are.
 */
export async function storeSessions(
  db: Db,
  rows: { broadcasts: readonly BroadcastSessionRow[]; viewers: readonly ViewerSessionRow[] },
): Promise<RefusedRow[]> {
  const refused: RefusedRow[] = [];
  const apart = async <Row extends { id: string; updated_at: number }>(
    all: readonly Row[],
    insert: (values: readonly Row[]) => Promise<unknown>,
  ) => {
    for (const values of chunks(newestById(all))) {
      await nextTurn(); // a store in this process answers without one
      const result = await storeApart(values, async (some) => {
        await insert(some);
        return some.length;
      });
      refused.push(...result.refused.map(({ row, reason }) => ({ id: row.id, reason })));
    }
  };
  await apart(rows.broadcasts, (values) =>
    db
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
      .execute(),
  );
  await apart(rows.viewers, (values) =>
    db
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
      .execute(),
  );
  return refused;
}

/** Returns how many were new; an id that is known is not stored again. `refused`: those that cannot be stored; the others are. */
export async function storePlayerEvents(
  db: Db,
  rows: readonly PlayerEventRow[],
): Promise<{ stored: number; refused: RefusedRow[] }> {
  let stored = 0;
  const refused: RefusedRow[] = [];
  for (const values of chunks(rows)) {
    await nextTurn();
    const result = await storeApart(values, async (some) => {
      const inserted = await db
        .insertInto('player_events')
        .values(some)
        .onConflict((conflict) => conflict.columns(['org_id', 'id']).doNothing())
        .returning('id')
        .execute();
      return inserted.length;
    });
    stored += result.stored;
    refused.push(...result.refused.map(({ row, reason }) => ({ id: row.id, reason })));
  }
  return { stored, refused };
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

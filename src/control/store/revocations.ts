import { sql } from 'kysely';
import { newId } from '../../core/ids.ts';
import type { Db, RevocationKind, RevocationRow } from './schema.ts';

/** A token lasts a day at most and is issued at most a week ahead: relays refuse others. */
const lifetimeMs = 8 * 86_400_000;
/** A row may become visible this long after its `at`: a slow commit, the clock of another control process. */
export const lateMs = 60_000;
/** The thread is busy with a page for some tens of milliseconds. */
const pageRows = 5000;

/** Relays read it within a second. Call it in the transaction of what it goes with. */
export async function revoke(
  db: Db,
  what: { orgId: string; kind: RevocationKind; value: string; now: number },
): Promise<RevocationRow> {
  const { orgId, kind, value, now } = what;
  const row = { id: newId('rev'), org_id: orgId, kind, value, at: now, expires_at: now + lifetimeMs };
  await db.insertInto('revocations').values(row).execute();
  return row;
}

/** A place in the list, newest first: what follows is older. */
export type Cursor = { at: number; id: string };

/**
 * What was revoked since `since` (an `until` of before; 0 for all), some of it told before, newest first; a page of it, which ends at
 * `next` when there is more to ask for with `before`. `until` of the first page is what to ask with next, once all pages were read.
 * Times are milliseconds since the Unix epoch.
 */
export async function revocationsSince(
  db: Db,
  since: number,
  now: number,
  before?: Cursor,
): Promise<{ until: number; rows: RevocationRow[]; next: Cursor | undefined }> {
  const rows = await db
    .selectFrom('revocations')
    .selectAll()
    .where('at', '>=', since)
    .where('expires_at', '>', now)
    .$if(before !== undefined, (query) => query.where(sql<boolean>`(at, id) < (${before!.at}, ${before!.id})`))
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .limit(pageRows)
    .execute();
  const last = rows.length === pageRows ? rows.at(-1)! : undefined;
  return { until: Math.max(since, now - lateMs), rows, next: last && { at: last.at, id: last.id } };
}

/** True for the first caller, false for everybody after it. */
export async function redeem(db: Db, token: { orgId: string; jti: string; expiresAt: number }): Promise<boolean> {
  const inserted = await db
    .insertInto('redeemed_tokens')
    .values({ org_id: token.orgId, jti: token.jti, expires_at: token.expiresAt })
    .onConflict((conflict) => conflict.columns(['org_id', 'jti']).doNothing())
    .returning('jti')
    .execute();
  return inserted.length === 1;
}

import { newId } from '../../core/ids.ts';
import type { Db, RevocationKind, RevocationRow } from './schema.ts';

/** A token lasts a day at most and is issued at most a week ahead: relays refuse others. */
const lifetimeMs = 8 * 86_400_000;
/** A row may become visible this long after its `at`: a slow commit, the clock of another control process. */
export const lateMs = 60_000;
const maxRows = 10_000;

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

/**
 * What was revoked since `since` (an `until` of before; 0 for all), some of it told before. `until` is what to ask with
 * next. Times are milliseconds since the Unix epoch.
 */
export async function revocationsSince(
  db: Db,
  since: number,
  now: number,
): Promise<{ until: number; rows: RevocationRow[] }> {
  const rows = await db
    .selectFrom('revocations')
    .selectAll()
    .where('at', '>=', since)
    .where('expires_at', '>', now)
    .orderBy('at')
    .orderBy('id')
    .limit(maxRows)
    .execute();
  const cut = rows.length === maxRows ? rows.at(-1)!.at : now;
  return { until: Math.max(since, Math.min(cut, now - lateMs)), rows };
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

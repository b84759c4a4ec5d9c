import type { Db } from './schema.ts';

/** Relays take a token a little past its end. */
const graceMs = 60_000;
const idempotencyKeyMs = 24 * 3_600_000;
const eventMs = 30 * 86_400_000;
const playerEventMs = 90 * 86_400_000;

/** Throws away what can no longer matter. */
export async function forgetExpired(db: Db, now: number): Promise<void> {
  await db.deleteFrom('rate_limits').where('full_at', '<', now).execute();
  await db.deleteFrom('revocations').where('expires_at', '<', now).execute();
  await db
    .deleteFrom('redeemed_tokens')
    .where('expires_at', '<', now - graceMs)
    .execute();
  await db
    .deleteFrom('idempotency_keys')
    .where('created_at', '<=', now - idempotencyKeyMs)
    .execute();
  await db
    .deleteFrom('events')
    .where('at', '<', now - eventMs)
    .execute();
  await db
    .deleteFrom('player_events')
    .where('at', '<', now - playerEventMs)
    .execute();
}

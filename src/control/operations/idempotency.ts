import { createHash } from 'node:crypto';
import type { ExpressionBuilder } from 'kysely';
import { StreamsError } from '../../core/errors.ts';
import type { Vault } from '../auth/vault.ts';
import type { Db, Tables } from '../store/schema.ts';

export const idempotencyKeyMs = 24 * 3_600_000;

/** One keyed request: the org it is in, its key, and what it asks for. */
export type KeyedRequest = { orgId: string; key: string; request: unknown };

/** Throws INVALID_ARGUMENT for anything but 1 to 255 visible ASCII characters. */
export function requireIdempotencyKey(text: string): string {
  if (/^[\x21-\x7e]{1,255}$/.test(text)) return text;
  throw new StreamsError('INVALID_ARGUMENT', 'Idempotency-Key must be 1 to 255 visible ASCII characters');
}

/**
 * Runs `run` unless a request with this key was answered in the last 24 h: then that answer is given again. In the
 * transaction of what `run` writes; of two at once, the second waits for the first. The answer may hold a key, so it is
 * sealed. Throws CONFLICT when the key was used for another request.
 */
export async function once<T>(
  { db, vault, now }: { db: Db; vault: Vault; now: number },
  { orgId, key, request }: KeyedRequest,
  run: () => Promise<T>,
): Promise<T> {
  const hash = createHash('sha256').update(JSON.stringify(request)).digest('hex');
  const context = `idempotency ${orgId} ${key}`;
  const mine = (eb: ExpressionBuilder<Tables, 'idempotency_keys'>) =>
    eb.and([eb('org_id', '=', orgId), eb('key', '=', key)]);
  await db
    .deleteFrom('idempotency_keys')
    .where(mine)
    .where('created_at', '<=', now - idempotencyKeyMs)
    .execute();
  const inserted = await db
    .insertInto('idempotency_keys')
    .values({ org_id: orgId, key, request_hash: hash, answer_sealed: '', created_at: now })
    .onConflict((conflict) => conflict.columns(['org_id', 'key']).doNothing())
    .returning('key')
    .execute();
  if (inserted.length === 0) {
    const known = await db.selectFrom('idempotency_keys').selectAll().where(mine).executeTakeFirstOrThrow();
    if (known.request_hash !== hash)
      throw new StreamsError('CONFLICT', 'this Idempotency-Key was used for another request', {
        hint: 'Use a new key for every new request.',
      });
    return JSON.parse(vault.unseal(context, known.answer_sealed)) as T;
  }
  const answer = await run();
  await db
    .updateTable('idempotency_keys')
    .set({ answer_sealed: vault.seal(context, JSON.stringify(answer)) })
    .where(mine)
    .execute();
  return answer;
}

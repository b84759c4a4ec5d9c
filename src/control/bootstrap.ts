import { localOrgId, newId } from '../core/ids.ts';
import { makeApiKey } from './auth/api-key.ts';
import { type Scope, scopes } from './context.ts';
import { writeAudit } from './store/audit.ts';
import type { Db } from './store/schema.ts';

/** `streams:` and an id made with the store: the `iss` that relays hold tokens against. */
export async function installIssuer(db: Db): Promise<string> {
  await db
    .insertInto('meta')
    .values({ key: 'issuer', value: `streams:${newId('ins').slice('ins_'.length)}` })
    .onConflict((conflict) => conflict.column('key').doNothing())
    .execute();
  return (await db.selectFrom('meta').select('value').where('key', '=', 'issuer').executeTakeFirstOrThrow()).value;
}

export async function ensureOrg(db: Db, id: string, name: string, now: number): Promise<void> {
  await db
    .insertInto('orgs')
    .values({ id, name, created_at: now })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
}

/**
 * The cleartext of a new admin key of the local org; undefined when there is one that works, unless `always`: whoever
 * can start the processes and has lost the key gets another one.
 */
export async function ensureLocalAdminKey(db: Db, now: number, always = false): Promise<string | undefined> {
  return db.transaction().execute(async (transaction) => {
    const usable = await transaction
      .selectFrom('api_keys')
      .select('scopes')
      .where('org_id', '=', localOrgId)
      .where('revoked_at', 'is', null)
      .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now)]))
      .execute();
    if (!always && usable.some((row) => (JSON.parse(row.scopes) as Scope[]).includes('streams:admin')))
      return undefined;
    const { row, cleartext } = makeApiKey({ orgId: localOrgId, name: 'local admin', scopes, now, expiresAt: null });
    await transaction.insertInto('api_keys').values(row).execute();
    await writeAudit(transaction, {
      org_id: localOrgId,
      at: now,
      actor: 'system',
      action: 'apiKeys.create',
      target: row.id,
      request_id: null,
    });
    return cleartext;
  });
}

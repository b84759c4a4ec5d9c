import { createPublicKey } from 'node:crypto';
import { exportJWK, type JWK } from 'jose';
import type { Db } from '../store/schema.ts';

/** RFC 7517, plus `org`: the only org whose namespaces a token of this key may name. */
export type PublicSigningKey = JWK & { org: string };

/** The signing keys whose tokens work at `now`. */
export function activeSigningKeys(db: Db, now: number) {
  return db
    .selectFrom('signing_keys')
    .where('status', '=', 'active')
    .where((eb) => eb.or([eb('deactivated_at', 'is', null), eb('deactivated_at', '>', now)]));
}

/** The public halves of all active signing keys. */
export async function publicJwks(db: Db, now: number): Promise<{ keys: PublicSigningKey[] }> {
  const rows = await activeSigningKeys(db, now)
    .select(['kid', 'org_id', 'alg', 'public_key_pem'])
    .orderBy('created_at', 'desc')
    .orderBy('kid', 'desc')
    .execute();
  const keys = rows.map(async ({ kid, org_id, alg, public_key_pem }) => ({
    ...(await exportJWK(createPublicKey(public_key_pem))),
    kid,
    alg: alg === 'Ed25519' ? 'EdDSA' : 'RS256',
    use: 'sig',
    org: org_id,
  }));
  return { keys: await Promise.all(keys) };
}

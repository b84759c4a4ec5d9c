import { createPublicKey } from 'node:crypto';
import { exportJWK, type JWK } from 'jose';
import type { Db } from '../store/schema.ts';

/** RFC 7517: the public halves of all active signing keys. */
export async function publicJwks(db: Db): Promise<{ keys: JWK[] }> {
  const rows = await db
    .selectFrom('signing_keys')
    .select(['kid', 'alg', 'public_key_pem'])
    .where('status', '=', 'active')
    .orderBy('created_at', 'desc')
    .orderBy('kid', 'desc')
    .execute();
  const keys = rows.map(async ({ kid, alg, public_key_pem }) => ({
    ...(await exportJWK(createPublicKey(public_key_pem))),
    kid,
    alg: alg === 'Ed25519' ? 'EdDSA' : 'RS256',
    use: 'sig',
  }));
  return { keys: await Promise.all(keys) };
}

import { createHash, createPublicKey } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { exportJWK, type JWK } from 'jose';
import type { Db } from '../store/schema.ts';

/** Made in one go: some milliseconds. */
const keysOfATurn = 50;

/** RFC 7517, plus `org`: the only org whose namespaces a token of this key may name. */
export type PublicSigningKey = JWK & { org: string };

/** The signing keys whose tokens work at `now`. */
export function activeSigningKeys(db: Db, now: number) {
  return db
    .selectFrom('signing_keys')
    .where('status', '=', 'active')
    .where((eb) => eb.or([eb('deactivated_at', 'is', null), eb('deactivated_at', '>', now)]));
}

/** A body of `/.well-known/jwks.json`, and its ETag. */
type Published = { body: string; etag: string };

/** The public halves of all active signing keys, as JSON: made again when other keys are active, and each key once. */
export class PublicJwks {
  readonly #db: Db;
  #made = new Map<string, PublicSigningKey>();
  #version: string | undefined;
  #published: Promise<Published> | undefined;

  constructor(db: Db) {
    this.#db = db;
  }

  async at(now: number): Promise<Published> {
    const kids = await activeSigningKeys(this.#db, now).select('kid').orderBy('kid').execute();
    const version = kids.map(({ kid }) => kid).join(' ');
    if (this.#published === undefined || version !== this.#version) {
      this.#version = version;
      const published = this.#publish(now);
      this.#published = published;
      published.catch(() => {
        if (this.#published === published) this.#published = undefined;
      });
    }
    return this.#published;
  }

  async #publish(now: number): Promise<Published> {
    const rows = await activeSigningKeys(this.#db, now)
      .select(['kid', 'org_id', 'alg', 'public_key_pem'])
      .orderBy('created_at', 'desc')
      .orderBy('kid', 'desc')
      .execute();
    const made = new Map<string, PublicSigningKey>();
    for (const [i, { kid, org_id, alg, public_key_pem }] of rows.entries()) {
      if (i % keysOfATurn === 0) await nextTurn();
      const known = this.#made.get(kid);
      made.set(
        kid,
        known ?? {
          ...(await exportJWK(createPublicKey(public_key_pem))),
          kid,
          alg: alg === 'Ed25519' ? 'EdDSA' : 'RS256',
          use: 'sig',
          org: org_id,
        },
      );
    }
    this.#made = made;
    const body = JSON.stringify({ keys: [...made.values()] });
    return { body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` };
  }
}

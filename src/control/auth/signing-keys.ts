import { createPrivateKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { newId } from '../../core/ids.ts';
import { writeAudit } from '../store/audit.ts';
import type { Db, SigningAlg, SigningKeyRow } from '../store/schema.ts';
import { seal, unseal } from './seal.ts';

const generate = promisify(generateKeyPair);

/** Makes signing keys and opens their private halves; holds the master key, so that nothing else has to. */
export class SigningKeys {
  readonly #masterKey: Uint8Array;
  /** Opened private keys by kid: few, as every org has few. */
  readonly #opened = new Map<string, KeyObject>();

  constructor(masterKey: Uint8Array) {
    this.#masterKey = masterKey;
  }

  /** A new active row for `org`, not yet stored. RS256 keys have 2048 bits. */
  async make(orgId: string, alg: SigningAlg, now: number): Promise<SigningKeyRow> {
    const kid = newId('rk');
    const { publicKey, privateKey } =
      alg === 'Ed25519' ? await generate('ed25519') : await generate('rsa', { modulusLength: 2048 });
    return {
      kid,
      org_id: orgId,
      alg,
      use: 'playback',
      status: 'active',
      public_key_pem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      private_key_sealed: seal(this.#masterKey, kid, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()),
      created_at: now,
      deactivated_at: null,
    };
  }

  /** The key to sign with: the newest active one of the org, made now when there is none. */
  async current(db: Db, orgId: string, now: number): Promise<SigningKeyRow> {
    const found = await newestActive(db, orgId);
    if (found) return found;
    const made = await this.make(orgId, 'Ed25519', now);
    return db.transaction().execute(async (transaction) => {
      const first = await newestActive(transaction, orgId);
      if (first) return first; // a request beside this one made it
      await transaction.insertInto('signing_keys').values(made).execute();
      await writeAudit(transaction, {
        org_id: orgId,
        at: now,
        actor: 'system',
        action: 'signingKeys.create',
        target: made.kid,
        request_id: null,
      });
      return made;
    });
  }

  /** Throws CONFIG_INVALID when the row was sealed under another master key. */
  privateKey(row: SigningKeyRow): KeyObject {
    let key = this.#opened.get(row.kid);
    if (!key) {
      key = createPrivateKey(unseal(this.#masterKey, row.kid, row.private_key_sealed));
      this.#opened.set(row.kid, key);
    }
    return key;
  }
}

function newestActive(db: Db, orgId: string): Promise<SigningKeyRow | undefined> {
  return db
    .selectFrom('signing_keys')
    .selectAll()
    .where('org_id', '=', orgId)
    .where('use', '=', 'playback')
    .where('status', '=', 'active')
    .orderBy('created_at', 'desc')
    .orderBy('kid', 'desc')
    .limit(1)
    .executeTakeFirst();
}

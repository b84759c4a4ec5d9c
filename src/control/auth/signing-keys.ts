import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { StreamsError } from '../../core/errors.ts';
import { newId } from '../../core/ids.ts';
import { writeAudit } from '../store/audit.ts';
import type { Db, SigningAlg, SigningKeyRow } from '../store/schema.ts';
import type { Vault } from './vault.ts';

const generate = promisify(generateKeyPair);

/** Makes signing keys and opens their private halves. */
export class SigningKeys {
  readonly #vault: Vault;
  /** Opened private keys by kid: few, as every org has few. */
  readonly #opened = new Map<string, KeyObject>();

  constructor(vault: Vault) {
    this.#vault = vault;
  }

  /** A new active row for `org`, not yet stored. RS256 keys have 2048 bits. */
  async make(orgId: string, alg: SigningAlg, now: number): Promise<SigningKeyRow> {
    const { publicKey, privateKey } =
      alg === 'Ed25519' ? await generate('ed25519') : await generate('rsa', { modulusLength: 2048 });
    const row = newRow(orgId, alg, publicKey, now);
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    return { ...row, private_key_sealed: this.#vault.seal(row.kid, pem) };
  }

  /** The key to sign with: the newest active one of the org, made now when there is none. */
  async current(db: Db, orgId: string, now: number): Promise<SigningKeyRow> {
    const found = await newestSigner(db, orgId);
    if (found) return found;
    const made = await this.make(orgId, 'Ed25519', now);
    return db.transaction().execute(async (transaction) => {
      const first = await newestSigner(transaction, orgId);
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
      key = createPrivateKey(this.#vault.unseal(row.kid, row.private_key_sealed));
      this.#opened.set(row.kid, key);
    }
    return key;
  }
}

/** Its tokens are good: not deactivated, and not past the end of a rotation. */
export function isActive(row: Pick<SigningKeyRow, 'status' | 'deactivated_at'>, now: number): boolean {
  return row.status === 'active' && (row.deactivated_at === null || row.deactivated_at > now);
}

/** The row of a key whose private half is elsewhere. Throws INVALID_ARGUMENT for anything but an Ed25519 or RSA public key. */
export function importPublicKey(orgId: string, pem: string, now: number): SigningKeyRow {
  if (pem.includes('PRIVATE KEY'))
    throw new StreamsError('INVALID_ARGUMENT', 'this is a private key: keep it, and pass its public half', {
      hint: 'openssl pkey -in private.pem -pubout',
    });
  if (!/^\s*-----BEGIN (RSA )?PUBLIC KEY-----/.test(pem))
    throw new StreamsError('INVALID_ARGUMENT', 'not a public key in PEM form (BEGIN PUBLIC KEY)');
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch {
    throw new StreamsError('INVALID_ARGUMENT', 'the PEM does not hold a readable public key');
  }
  if (key.asymmetricKeyType === 'ed25519') return newRow(orgId, 'Ed25519', key, now);
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType !== 'rsa')
    throw new StreamsError('INVALID_ARGUMENT', 'only Ed25519 and RSA keys sign tokens');
  if (modulusLength < 2048 || modulusLength > 8192 || publicExponent < 65537n)
    throw new StreamsError(
      'INVALID_ARGUMENT',
      'an RSA key must have 2048 to 8192 bits and an exponent of at least 65537',
    );
  return newRow(orgId, 'RS256', key, now);
}

function newRow(orgId: string, alg: SigningAlg, publicKey: KeyObject, now: number): SigningKeyRow {
  return {
    kid: newId('rk'),
    org_id: orgId,
    alg,
    use: 'playback',
    status: 'active',
    public_key_pem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    private_key_sealed: '',
    created_at: now,
    deactivated_at: null,
  };
}

function newestSigner(db: Db, orgId: string): Promise<SigningKeyRow | undefined> {
  return db
    .selectFrom('signing_keys')
    .selectAll()
    .where('org_id', '=', orgId)
    .where('use', '=', 'playback')
    .where('status', '=', 'active')
    .where('deactivated_at', 'is', null)
    .where('private_key_sealed', '!=', '')
    .orderBy('created_at', 'desc')
    .orderBy('kid', 'desc')
    .limit(1)
    .executeTakeFirst();
}

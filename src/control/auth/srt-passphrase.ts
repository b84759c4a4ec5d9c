import { opensSrtKeys, type WrappedSrtKeys } from '../../access/srt-keys.ts';
import type { ControlContext } from '../context.ts';
import { redeem } from '../store/revocations.ts';
import type { Db, StreamKeyRow } from '../store/schema.ts';
import { hashSecret } from './secrets.ts';

/** Of an input that is not there. */
const noKey = hashSecret('no key has this hash');
/** Input and newest key, and an older one in its overlap: what is tried in any case, so that the time tells nothing. */
const leastTries = 2;
/** When a handshake is forgotten whose stream key has no end yet. */
const never = Number.MAX_SAFE_INTEGER;

type StreamKey = Pick<StreamKeyRow, 'hash' | 'revoked_at'>;

/**
 * What SRT encoders encrypt with: made of the stored hash of the stream key and of the master key, so that neither the
 * passphrase nor a copy of the database tells the other. 32 characters of base64url.
 */
export function srtPassphrase({ vault }: Pick<ControlContext, 'vault'>, streamKeyHash: string): string {
  return Buffer.from(vault.derive('srt passphrase', streamKeyHash)).subarray(0, 24).toString('base64url');
}

/** Which of the stream keys has the passphrase that opens `wrapped`. */
export async function findSrtPassphrase<Key extends StreamKey>(
  context: ControlContext,
  keys: readonly Key[],
  wrapped: WrappedSrtKeys,
): Promise<{ key: Key; passphrase: string } | undefined> {
  const hashes = keys.map(({ hash }) => hash);
  const tries = [...hashes, ...Array<string>(Math.max(0, leastTries - hashes.length)).fill(noKey)];
  const passphrases = tries.map((hash) => srtPassphrase(context, hash));
  const opened = await Promise.all(passphrases.map((passphrase) => opensSrtKeys(passphrase, wrapped)));
  const at = opened.indexOf(true);
  const key = keys[at];
  return key === undefined ? undefined : { key, passphrase: passphrases[at]! };
}

/**
 * True for the first handshake with this salt, false for each later one. Encoders make a new one for every connection and keep it
 * when they change their keys in the middle (libsrt does both); who shows the same again may have recorded it, and know no passphrase.
 * It is remembered as long as the stream key opens the input: after that, no handshake under its passphrase does.
 */
export function redeemSrtKeys(
  { db }: ControlContext,
  input: { orgId: string; inputId: string; key: StreamKey },
  { salt }: WrappedSrtKeys,
): Promise<boolean> {
  // The other half of the salt does not go into the key that wraps: anyone could change it.
  const used = Buffer.from(salt.subarray(8)).toString('base64url');
  const jti = handshakesOf(input.inputId) + used;
  return redeem(db, { orgId: input.orgId, jti, expiresAt: input.key.revoked_at ?? never });
}

/** Call it where the stream keys that an input has had until now get their end, with that end. */
export async function endSrtKeys(db: Db, input: { orgId: string; inputId: string; endsAt: number }): Promise<void> {
  const { orgId, inputId, endsAt } = input;
  await db
    .updateTable('redeemed_tokens')
    .set({ expires_at: endsAt })
    .where('org_id', '=', orgId)
    .where('jti', 'like', `${handshakesOf(inputId)}%`)
    .where('expires_at', '>', endsAt)
    .execute();
}

function handshakesOf(inputId: string): string {
  return `srt ${inputId} `;
}

import { opensSrtKeys, type WrappedSrtKeys } from '../../access/srt-keys.ts';
import type { ControlContext } from '../context.ts';
import { redeem } from '../store/revocations.ts';
import { hashSecret } from './secrets.ts';

/** Of an input that is not there. */
const noKey = hashSecret('no key has this hash');
/** Input and newest key, and an older one in its overlap: what is tried in any case, so that the time tells nothing. */
const leastTries = 2;
/** A recorded handshake is no good for as long as a key may be in use: ten years, ms. */
const rememberMs = 10 * 365 * 86_400_000;

/**
 * What SRT encoders encrypt with: made of the stored hash of the stream key and of the master key, so that neither the
 * passphrase nor a copy of the database tells the other. 32 characters of base64url.
 */
export function srtPassphrase({ vault }: Pick<ControlContext, 'vault'>, streamKeyHash: string): string {
  return Buffer.from(vault.derive('srt passphrase', streamKeyHash)).subarray(0, 24).toString('base64url');
}

/** Which of the stream keys, by their hashes, has the passphrase that opens `keys`. */
export async function findSrtPassphrase(
  context: ControlContext,
  hashes: readonly string[],
  keys: WrappedSrtKeys,
): Promise<string | undefined> {
  const tries = [...hashes, ...Array<string>(Math.max(0, leastTries - hashes.length)).fill(noKey)];
  const passphrases = tries.map((hash) => srtPassphrase(context, hash));
  const opened = await Promise.all(passphrases.map((passphrase) => opensSrtKeys(passphrase, keys)));
  const at = opened.indexOf(true);
  return at === -1 || at >= hashes.length ? undefined : passphrases[at];
}

/**
 * True for the first handshake with this salt, false for each later one. Encoders make a new one for every connection and keep it
 * when they change their keys in the middle (libsrt does both); who shows the same again may have recorded it, and know no passphrase.
 */
export function redeemSrtKeys(
  { db, now }: ControlContext,
  orgId: string,
  inputId: string,
  { salt }: WrappedSrtKeys,
): Promise<boolean> {
  // The other half of the salt does not go into the key that wraps: anyone could change it.
  const used = Buffer.from(salt.subarray(8)).toString('base64url');
  return redeem(db, { orgId, jti: `srt ${inputId} ${used}`, expiresAt: now() + rememberMs });
}

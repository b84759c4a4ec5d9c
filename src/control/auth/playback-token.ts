import { SignJWT } from 'jose';
import {
  clampLifetime,
  type PlaybackClaims,
  playbackAudience,
  playbackTokenLimits,
} from '../../contract/playback-token.ts';
import { StreamsError } from '../../core/errors.ts';
import { newId } from '../../core/ids.ts';
import type { ControlContext } from '../context.ts';
import { quotasOf } from '../quotas.ts';

/** What a token is bound to beside its namespace. `notBefore` is milliseconds since the Unix epoch. */
export type TokenRules = {
  ttlSeconds?: number | undefined;
  notBefore?: number | undefined;
  viewerId?: string | undefined;
  once?: boolean | undefined;
  tracks?: readonly string[] | undefined;
  origins?: readonly string[] | undefined;
  addresses?: readonly string[] | undefined;
};

export type PlaybackToken = { token: string; kid: string; alg: 'EdDSA' | 'RS256'; expiresAt: number };

/**
 * A JWT (RFC 7519) that opens exactly `stream/<org>/<id>` (and its other ids) for watching. `nbf` lies 5 s back, for a relay whose clock is a
 * little behind. `expiresAt` is milliseconds since the Unix epoch. Throws RATE_LIMITED when `caller` mints too fast, QUOTA_EXCEEDED
 * when its org does, and INVALID_ARGUMENT when `notBefore` is more than 7 days ahead.
 */
export async function mintPlaybackToken(
  context: Pick<ControlContext, 'db' | 'signingKeys' | 'issuer' | 'now' | 'mints' | 'orgMints'>,
  caller: { keyId: string },
  wanted: TokenRules & { orgId: string; id: string; otherIds?: readonly string[] },
): Promise<PlaybackToken> {
  const { notBefore, once, tracks, origins, addresses } = wanted;
  const now = context.now();
  if (!(await context.mints.take(caller.keyId)))
    throw new StreamsError('RATE_LIMITED', 'this API key mints tokens too fast', { hint: 'Mint once per viewer.' });
  const { tokensPerMinute } = await quotasOf(context.db, wanted.orgId);
  const rate = { capacity: tokensPerMinute, refillMs: 60_000 / tokensPerMinute };
  if (!(await context.orgMints.take(wanted.orgId, rate)))
    throw new StreamsError('QUOTA_EXCEEDED', `an org mints ${tokensPerMinute} tokens a minute at most`, {
      hint: 'Mint once per viewer, and for longer.',
    });
  if (notBefore !== undefined && notBefore > now + playbackTokenLimits.headStartSeconds * 1000)
    throw new StreamsError('INVALID_ARGUMENT', 'notBefore is more than 7 days ahead');
  const key = await context.signingKeys.current(context.db, wanted.orgId, now);
  const alg = key.alg === 'Ed25519' ? 'EdDSA' : 'RS256';
  const issuedAt = Math.floor(now / 1000);
  const from = Math.max(issuedAt, Math.ceil((notBefore ?? 0) / 1000));
  const expires = from + clampLifetime(wanted.ttlSeconds);
  const claims: Pick<PlaybackClaims, 'ns' | 'once' | 'tracks' | 'origins' | 'addresses'> = {
    ns: [wanted.id, ...(wanted.otherIds ?? [])].map((id) => `stream/${wanted.orgId}/${id}`),
    ...(once && { once }),
    ...(tracks && { tracks }),
    ...(origins && { origins }),
    ...(addresses && { addresses }),
  };
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg, kid: key.kid, typ: 'JWT' })
    .setIssuer(context.issuer)
    .setAudience(playbackAudience)
    .setSubject(wanted.viewerId ?? wanted.id)
    .setJti(newId('jti'))
    .setNotBefore(from > issuedAt ? from : issuedAt - playbackTokenLimits.skewSeconds)
    .setIssuedAt(issuedAt)
    .setExpirationTime(expires)
    .sign(context.signingKeys.privateKey(key));
  return { token, kid: key.kid, alg, expiresAt: expires * 1000 };
}

import { SignJWT } from 'jose';
import { newId } from '../../core/ids.ts';
import type { ControlContext } from '../context.ts';

export const playbackAudience = 'streams-playback';
const minTtlSeconds = 30;
const maxTtlSeconds = 24 * 3600;
const defaultTtlSeconds = 3600;

export type PlaybackToken = { token: string; kid: string; alg: 'EdDSA' | 'RS256'; expiresAt: number };

/** Seconds, clamped to 30 s – 24 h; 1 h when not given. */
export function clampTtl(seconds: number | undefined): number {
  if (seconds === undefined) return defaultTtlSeconds;
  return Math.min(maxTtlSeconds, Math.max(minTtlSeconds, Math.floor(seconds)));
}

/**
 * A JWT (RFC 7519) that opens exactly `stream/<org>/<id>` for watching. `nbf` lies 5 s back, for a relay whose clock is a
 * little behind. `expiresAt` is milliseconds since the Unix epoch.
 */
export async function mintPlaybackToken(
  context: Pick<ControlContext, 'db' | 'signingKeys' | 'issuer' | 'now'>,
  wanted: { orgId: string; id: string; viewerId?: string | undefined; ttlSeconds?: number | undefined },
): Promise<PlaybackToken> {
  const key = await context.signingKeys.current(context.db, wanted.orgId, context.now());
  const alg = key.alg === 'Ed25519' ? 'EdDSA' : 'RS256';
  const issuedAt = Math.floor(context.now() / 1000);
  const expires = issuedAt + clampTtl(wanted.ttlSeconds);
  const token = await new SignJWT({ ns: [`stream/${wanted.orgId}/${wanted.id}`] })
    .setProtectedHeader({ alg, kid: key.kid, typ: 'JWT' })
    .setIssuer(context.issuer)
    .setAudience(playbackAudience)
    .setSubject(wanted.viewerId ?? wanted.id)
    .setJti(newId('jti'))
    .setNotBefore(issuedAt - 5)
    .setIssuedAt(issuedAt)
    .setExpirationTime(expires)
    .sign(context.signingKeys.privateKey(key));
  return { token, kid: key.kid, alg, expiresAt: expires * 1000 };
}

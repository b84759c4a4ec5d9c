import { fromUtf8Strict } from '../core/bytes.ts';
import { StreamsError } from '../core/errors.ts';

/** What a viewer needs of its own token. Nothing is verified here: the relay does that. */
export type PlaybackClaims = {
  /** Exact namespaces the token opens, as tuples: `['stream', 'org_local', 'lv_…']`. */
  readonly namespaces: readonly (readonly string[])[];
  /** ms since the Unix epoch. */
  readonly expiresAt?: number;
};

/** Reads the payload of a compact JWS (RFC 7515, 7.1). Throws TOKEN_INVALID; the message never holds the token. */
export function readPlaybackToken(token: string): PlaybackClaims {
  const parts = token.split('.');
  if (parts.length !== 3) throw notAToken();
  let payload: unknown;
  try {
    payload = JSON.parse(fromUtf8Strict(fromBase64Url(parts[1]!)));
  } catch {
    throw notAToken();
  }
  if (typeof payload !== 'object' || payload === null) throw notAToken();
  const { ns, exp } = payload as { ns?: unknown; exp?: unknown };
  const names = Array.isArray(ns) ? ns.filter((name): name is string => typeof name === 'string' && name !== '') : [];
  return {
    namespaces: names.map((name) => name.split('/')),
    ...(typeof exp === 'number' && Number.isFinite(exp) ? { expiresAt: exp * 1000 } : {}),
  };
}

function fromBase64Url(text: string): Uint8Array {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (char) => char.charCodeAt(0));
}

function notAToken(): StreamsError {
  return new StreamsError('TOKEN_INVALID', 'the playback token is not a JWT', {
    hint: 'streams playback mint <input> makes a new one',
  });
}

import { fromUtf8Strict } from '../../../src/core/bytes.ts';
import { StreamsError } from '../../../src/core/errors.ts';
import { repeatedNames } from '../../../src/core/repeated-names.ts';

export type ReadToken = {
  header: Record<string, unknown>;
  payload: Record<string, unknown>;
  /** Names that come twice in the payload: readers may differ on which counts. */
  repeated: string[];
};

/** A bare JWT, or the `tok`, `jwt` or `token` of a URL. Throws USAGE. */
export function tokenOf(text: string): string {
  const trimmed = text.trim();
  if (!/^[a-z]+:\/\//i.test(trimmed) || !URL.canParse(trimmed)) return trimmed;
  const query = new URL(trimmed).searchParams;
  for (const name of ['tok', 'jwt', 'token']) {
    const value = query.get(name);
    if (value !== null) return value;
  }
  throw new StreamsError('USAGE', 'that URL holds no token', { hint: 'streams inspect token <jwt>' });
}

/** Header and payload of a compact JWS (RFC 7515, 7.1); nothing is verified. Throws TOKEN_INVALID without the token in its words. */
export function readToken(token: string): ReadToken {
  const parts = token.split('.');
  if (parts.length === 5) throw notAToken('it is encrypted (JWE), not signed');
  if (parts.length !== 3) throw notAToken(`it has ${parts.length} parts of the three between dots`);
  const header = objectOf(parts[0]!, 'header');
  const payload = objectOf(parts[1]!, 'payload');
  if (parts[2] !== '' && decoded(parts[2]!) === undefined) throw notAToken('its signature is not base64url');
  return { header: header.value, payload: payload.value, repeated: payload.repeated };
}

function objectOf(part: string, name: string): { value: Record<string, unknown>; repeated: string[] } {
  const bytes = decoded(part);
  if (bytes === undefined) throw notAToken(`its ${name} is not base64url`);
  try {
    const text = fromUtf8Strict(bytes);
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return { value: value as Record<string, unknown>, repeated: repeatedNames(text) };
  } catch {}
  throw notAToken(`its ${name} is not a JSON object`);
}

function decoded(part: string): Uint8Array | undefined {
  return /^[A-Za-z0-9_-]+$/.test(part) ? Buffer.from(part, 'base64url') : undefined;
}

function notAToken(why: string): StreamsError {
  return new StreamsError('TOKEN_INVALID', `this is not a signed JWT: ${why}`, {
    hint: 'streams playback mint <lv_…> makes one',
  });
}

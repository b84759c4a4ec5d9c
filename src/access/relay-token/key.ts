import { type CryptoKey, importJWK, type JWK } from 'jose';
import { StreamsError } from '../../core/errors.ts';
import { parseRights, type Rights } from './claims.ts';

/** The algorithms of moq-relay, by the kind of key they take. */
const algorithmsOf = {
  oct: ['HS256', 'HS384', 'HS512'],
  RSA: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  EC: ['ES256', 'ES384'],
  OKP: ['EdDSA'],
} as const;

type KeyType = keyof typeof algorithmsOf;
export type RelayAlgorithm = (typeof algorithmsOf)[KeyType][number];

export const relayAlgorithms: readonly RelayAlgorithm[] = Object.values(algorithmsOf).flat();

/** A key of relay tokens: a JWK (RFC 7517) with the algorithm it is for. */
export type RelayKey = {
  /** Letters, digits, `_` and `-`. */
  readonly kid: string | undefined;
  readonly alg: RelayAlgorithm;
  readonly kty: KeyType;
  readonly maySign: boolean;
  readonly mayVerify: boolean;
  /** What its tokens may grant at most. */
  readonly scope: Rights | undefined;
  readonly jwk: Readonly<JWK & Record<string, unknown>>;
};

export const kidPattern = /^[A-Za-z0-9_-]{1,128}$/;

const minSecretBytes = 32;
const maxTextLength = 64 << 10;
/** RFC 7518 6: members that only a private key has. */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth'];

/** A JWK file as moq-relay has them: JSON, or (older) that in base64url. Throws CONFIG_INVALID; no message holds the key. */
export function parseKey(text: string): RelayKey {
  const trimmed = text.trim();
  if (trimmed.length > maxTextLength) throw invalid('it is too long');
  let jwk: unknown;
  try {
    jwk = JSON.parse(trimmed.startsWith('{') ? trimmed : Buffer.from(trimmed, 'base64url').toString('utf8'));
  } catch {
    throw invalid('it is neither JSON nor JSON in base64url');
  }
  if (typeof jwk !== 'object' || jwk === null || Array.isArray(jwk)) throw invalid('it is not a JSON object');
  return keyOf(jwk as Record<string, unknown>);
}

function keyOf(given: Readonly<Record<string, unknown>>): RelayKey {
  // The first keys of moq-token were secrets without a kty.
  const { kty = typeof given.k === 'string' ? 'oct' : undefined, alg, kid, scope, key_ops: operations } = given;
  if (typeof kty !== 'string' || !Object.hasOwn(algorithmsOf, kty))
    throw invalid('its kty is none of oct, RSA, EC, OKP');
  const fitting: readonly string[] = algorithmsOf[kty as KeyType];
  if (typeof alg !== 'string' || !fitting.includes(alg)) {
    throw invalid(`its alg is none of ${fitting.join(', ')}, which go with kty ${kty}`);
  }
  const curve = { ES256: 'P-256', ES384: 'P-384', EdDSA: 'Ed25519' }[alg];
  if (curve !== undefined && given.crv !== curve) throw invalid(`its crv is not ${curve}, which goes with ${alg}`);
  if (kid !== undefined && (typeof kid !== 'string' || !kidPattern.test(kid))) {
    throw invalid('its kid has other characters than letters, digits, _ and -');
  }
  if (kty === 'oct' && !(typeof given.k === 'string' && Buffer.from(given.k, 'base64url').length >= minSecretBytes)) {
    throw invalid(`its secret is shorter than ${minSecretBytes} bytes`);
  }
  if (operations !== undefined && !Array.isArray(operations)) throw invalid('its key_ops is not a list');
  const allowed = (operation: string): boolean => operations === undefined || operations.includes(operation);
  return {
    kid,
    alg: alg as RelayAlgorithm,
    kty: kty as KeyType,
    maySign: allowed('sign') && (kty === 'oct' || typeof given.d === 'string'),
    mayVerify: allowed('verify'),
    scope: scope === undefined ? undefined : scopeOf(scope),
    jwk: { ...given, kty },
  };
}

function scopeOf(scope: unknown): Rights {
  if (typeof scope !== 'object' || scope === null) throw invalid('its scope is not an object');
  try {
    return parseRights(scope as Record<string, unknown>);
  } catch (cause) {
    throw invalid(`its scope cannot be read: ${cause instanceof Error ? cause.message : ''}`);
  }
}

/** The half that only verifies. Throws INVALID_ARGUMENT for a secret key, which has none. */
export function publicHalf(key: RelayKey): RelayKey {
  if (key.kty === 'oct') {
    throw new StreamsError('INVALID_ARGUMENT', `a ${key.alg} key is one secret, it has no public half`, {
      hint: '--algorithm ES256, or EdDSA',
    });
  }
  const jwk = Object.fromEntries(Object.entries(key.jwk).filter(([name]) => !privateMembers.includes(name)));
  return keyOf({ ...jwk, key_ops: ['verify'] });
}

/** For jose. Throws CONFIG_INVALID when the numbers in it are no key. */
export async function importKey(key: RelayKey, use: 'sign' | 'verify'): Promise<CryptoKey | Uint8Array> {
  const {
    key_ops: _operations,
    use: _use,
    ext: _ext,
    ...jwk
  } = use === 'verify' && key.kty !== 'oct' ? publicHalf(key).jwk : key.jwk;
  try {
    return await importJWK(jwk, key.alg);
  } catch (cause) {
    throw new StreamsError('CONFIG_INVALID', 'the key cannot be used: its numbers are no key', { cause });
  }
}

function invalid(reason: string): StreamsError {
  return new StreamsError('CONFIG_INVALID', `the key cannot be used: ${reason}`, {
    hint: 'streams relay-token generate --out <file>',
  });
}

import { decodeProtectedHeader, errors, jwtVerify, SignJWT } from 'jose';
import { StreamsError } from '../../core/errors.ts';
import { nameSaidTwice } from '../token-json.ts';
import { isWithin, parseClaims, type RelayClaims, type Rights } from './claims.ts';
import { importKey, type RelayKey } from './key.ts';

/** Clocks differ; for `exp` and `nbf`, in milliseconds. */
export const skewMs = 5000;
const maxTokenLength = 8192;

/** Key id in the header of a token not verified yet. Throws TOKEN_INVALID for what is no token, or would bring its own key. */
export function keyIdOf(token: string): string | undefined {
  if (token.length > maxTokenLength) throw invalid('the token is too long');
  let header: ReturnType<typeof decodeProtectedHeader>;
  try {
    header = decodeProtectedHeader(token);
  } catch {
    throw invalid('it is not a token');
  }
  const twice = nameSaidTwice(token);
  if (twice !== undefined) throw invalid(`the token says ${twice} twice`);
  for (const name of ['jku', 'jwk', 'x5u', 'x5c', 'crit'] as const) {
    if (header[name] !== undefined) throw invalid(`a token with the header ${name} is not accepted`);
  }
  return header.kid;
}

/**
 * The claims of a token of that key. `now`: milliseconds since the Unix epoch. Throws TOKEN_INVALID or TOKEN_EXPIRED, and
 * CONFIG_INVALID for a key that cannot be used.
 */
export async function verifyToken(key: RelayKey, token: string, now = Date.now()): Promise<RelayClaims> {
  keyIdOf(token);
  if (!key.mayVerify) throw new StreamsError('CONFIG_INVALID', 'the key is not for verifying (key_ops)');
  const imported = await importKey(key, 'verify');
  let payload: Record<string, unknown>;
  try {
    const options = {
      algorithms: key.alg === 'EdDSA' ? ['EdDSA', 'Ed25519'] : [key.alg],
      clockTolerance: skewMs / 1000,
      currentDate: new Date(now),
    };
    ({ payload } = await jwtVerify(token, imported, options));
  } catch (error) {
    throw explain(error, key);
  }
  const claims = parseClaims(payload);
  if (key.scope !== undefined && !isInScope(key.scope, claims)) throw beyondScope();
  return claims;
}

/** What to put in a token; paths are prefixes, relative to the root. Times in seconds since the Unix epoch. */
export type TokenRequest = {
  readonly root: string;
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
  readonly expiresAt?: number;
  readonly issuedAt?: number;
  /** For a relay of the cluster: the claim that moq-relay had until it took client certificates. */
  readonly cluster?: boolean;
};

/** A token with `root`, `put` and `get`, which every generation reads. Throws INVALID_ARGUMENT, TOKEN_INVALID, CONFIG_INVALID. */
export async function signToken(key: RelayKey, request: TokenRequest): Promise<string> {
  if (!key.maySign) {
    throw new StreamsError('INVALID_ARGUMENT', 'the key is not for signing: it is a public one, or its key_ops say so');
  }
  const { root, publish, subscribe, expiresAt, issuedAt, cluster } = request;
  const payload = {
    // Always there: older verifiers want it.
    root,
    ...(publish.length > 0 && { put: [...publish] }),
    ...(subscribe.length > 0 && { get: [...subscribe] }),
    ...(expiresAt !== undefined && { exp: expiresAt }),
    ...(issuedAt !== undefined && { iat: issuedAt }),
    ...(cluster === true && { cluster }),
  };
  const claims = parseClaims(payload);
  if (key.scope !== undefined && !isInScope(key.scope, claims)) throw beyondScope();
  return new SignJWT(payload)
    .setProtectedHeader({ alg: key.alg, typ: 'JWT', ...(key.kid !== undefined && { kid: key.kid }) })
    .sign(await importKey(key, 'sign'));
}

/** A key that may not grant everything makes no relay a member of the cluster. */
function isInScope(scope: Rights, claims: RelayClaims): boolean {
  return claims.cluster !== true && isWithin(scope, claims);
}

function explain(error: unknown, key: RelayKey): StreamsError {
  if (error instanceof errors.JWTExpired) return new StreamsError('TOKEN_EXPIRED', 'the token has expired');
  if (error instanceof errors.JWTClaimValidationFailed) {
    return invalid(
      error.claim === 'nbf' ? 'the token is not valid yet' : `the claim ${error.claim} is missing or wrong`,
    );
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return invalid(`the algorithm is not that of the key (${key.alg})`);
  if (error instanceof errors.JWSSignatureVerificationFailed) return invalid('the signature does not match the key');
  return invalid('the token is malformed');
}

function beyondScope(): StreamsError {
  return invalid('the token grants more than its key may (scope)');
}

function invalid(reason: string): StreamsError {
  return new StreamsError('TOKEN_INVALID', reason);
}

import type { JWK } from 'jose';
import type { Check } from './check-token.ts';
import type { ReadToken } from './read-token.ts';

const symmetric = /^HS(256|384|512)$/;

/** Whether a key of the set signed the token. The algorithm is the key's, never chosen by the token's header. */
export async function checkSignature(token: string, { header, payload }: ReadToken, jwks: string): Promise<Check[]> {
  const keys = keysOf(jwks);
  if (keys === undefined) return [{ name: 'signature', status: 'unknown', message: 'what was read is not a JWK set' }];
  const { kid } = header;
  const jwk = keys.find((key) => key.kid === kid) ?? (kid === undefined && keys.length === 1 ? keys[0] : undefined);
  if (jwk === undefined) {
    const known = keys.map((key) => key.kid ?? '(no kid)').join(', ') || 'no keys';
    return [
      {
        name: 'signature',
        status: 'fail',
        message: `the key ${String(kid)} is unknown or inactive; the set holds ${known}`,
      },
    ];
  }
  const alg = algorithmOf(jwk);
  const asked = header.alg === 'Ed25519' ? 'EdDSA' : header.alg;
  if (alg === undefined)
    return [{ name: 'signature', status: 'unknown', message: `a key of this kind (${jwk.kty}) is not supported` }];
  if (alg !== asked)
    return [
      { name: 'signature', status: 'fail', message: `the algorithm ${String(asked)} is not that of the key (${alg})` },
    ];
  const { compactVerify, importJWK } = await import('jose');
  // Only the public half verifies; a private key may have been given.
  const { d: _d, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, ...half } = jwk;
  try {
    const algorithms = alg === 'EdDSA' ? ['EdDSA', 'Ed25519'] : [alg];
    await compactVerify(token, await importJWK(half as JWK, String(header.alg)), { algorithms });
  } catch {
    return [{ name: 'signature', status: 'fail', message: `does not match the key ${String(jwk.kid)}` }];
  }
  return [
    { name: 'signature', status: 'ok', message: `made with the key ${String(jwk.kid)} (${alg})` },
    ...orgCheck(jwk, payload),
  ];
}

/** Our sets name each key's org: the only one whose namespaces it may sign for. */
function orgCheck(jwk: JWK & { org?: unknown }, payload: ReadToken['payload']): Check[] {
  const { org } = jwk;
  if (typeof org !== 'string' || !Array.isArray(payload.ns)) return [];
  const good = payload.ns.every((name) => typeof name === 'string' && name.split('/')[1] === org);
  return [
    {
      name: 'org',
      status: good ? 'ok' : 'fail',
      message: good ? org : `the key belongs to ${org}, the token names another org`,
    },
  ];
}

function keysOf(text: string): (JWK & { org?: unknown })[] | undefined {
  try {
    const value = JSON.parse(text) as { keys?: unknown; kty?: unknown };
    if (Array.isArray(value.keys)) return value.keys.filter((key) => typeof key === 'object' && key !== null);
    return typeof value.kty === 'string' ? [value as JWK] : undefined;
  } catch {
    return undefined;
  }
}

/** By the kind of key. A symmetric key must say its own algorithm. */
function algorithmOf({ kty, crv, alg }: JWK): string | undefined {
  if (kty === 'OKP' && crv === 'Ed25519') return 'EdDSA';
  if (kty === 'RSA') return alg ?? 'RS256';
  if (kty === 'EC') return alg ?? (crv === 'P-384' ? 'ES384' : 'ES256');
  if (kty === 'oct' && alg !== undefined && symmetric.test(alg)) return alg;
  return undefined;
}

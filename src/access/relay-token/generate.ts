import { randomBytes } from 'node:crypto';
import { exportJWK, generateKeyPair } from 'jose';
import { parseKey, type RelayAlgorithm, type RelayKey } from './key.ts';

export type KeyRequest = {
  readonly algorithm: RelayAlgorithm;
  /** Random when absent. */
  readonly kid?: string;
  /** What its tokens may grant at most; prefixes relative to the root. */
  readonly scope?: {
    readonly root: string;
    readonly publish: readonly string[];
    readonly subscribe: readonly string[];
  };
};

const rsaBits = 2048;

/** A new key. HMAC secrets are as long as the hash. Throws CONFIG_INVALID for a kid or scope that cannot be. */
export async function generateKey({ algorithm, kid, scope }: KeyRequest): Promise<RelayKey> {
  const jwk = algorithm.startsWith('HS')
    ? { kty: 'oct', k: randomBytes(Number(algorithm.slice(2)) / 8).toString('base64url') }
    : await exportJWK((await generateKeyPair(algorithm, { extractable: true, modulusLength: rsaBits })).privateKey);
  return parseKey(
    JSON.stringify({
      ...jwk,
      alg: algorithm,
      key_ops: ['sign', 'verify'],
      kid: kid ?? randomBytes(8).toString('hex'),
      ...(scope !== undefined && {
        scope: {
          ...(scope.root !== '' && { root: scope.root }),
          ...(scope.publish.length > 0 && { put: scope.publish }),
          ...(scope.subscribe.length > 0 && { get: scope.subscribe }),
        },
      }),
    }),
  );
}

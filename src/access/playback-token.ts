import { decodeProtectedHeader, errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose';
import { StreamsError } from '../core/errors.ts';
import { authFailed, type Grant } from './grant.ts';
import type { KeySet, VerificationKey } from './jwks.ts';

export type PlaybackTokenOptions = {
  readonly keys: KeySet;
  readonly issuer: string;
  /** Milliseconds since the Unix epoch; for tests. */
  readonly now?: () => number;
};

export const playbackAudience = 'streams-playback';
const skewMs = 5000;
const maxTokenLength = 8192;
/** setTimeout takes no more. */
const maxTimerMs = 2 ** 31 - 1;

/** Verifies playback JWTs (design.md section 6). */
export class PlaybackTokens {
  readonly #keys: KeySet;
  readonly #issuer: string;
  readonly #now: () => number;

  constructor(options: PlaybackTokenOptions) {
    this.#keys = options.keys;
    this.#issuer = options.issuer;
    this.#now = options.now ?? Date.now;
  }

  /** What the token allows on `/playback/<id>`. Throws TOKEN_INVALID or TOKEN_EXPIRED (`auth_failed: …`), or API_UNREACHABLE. */
  async verify(token: string, id: string): Promise<Grant> {
    if (token.length > maxTokenLength) throw refused('the token is too long');
    const key = await this.#keyOf(token);
    const payload = await this.#payloadOf(token, key);
    const namespaces = namespacesOf(payload);
    if (!namespaces.some((namespace) => namespace.at(-1) === id)) throw refused('the token is for another input');
    const expiresAt = payload.exp! * 1000;
    // Within the allowed skew a token may be past its time on our clock already.
    return this.#grant(namespaces, key.kid, expiresAt > this.#now() ? expiresAt : expiresAt + skewMs);
  }

  async #keyOf(token: string): Promise<VerificationKey> {
    let header: ReturnType<typeof decodeProtectedHeader>;
    try {
      header = decodeProtectedHeader(token);
    } catch {
      throw refused('not a token');
    }
    for (const name of ['jku', 'jwk', 'x5u', 'x5c', 'crit'] as const) {
      if (header[name] !== undefined) throw refused(`a token with the header ${name} is not accepted`);
    }
    const alg = header.alg === 'Ed25519' ? 'EdDSA' : header.alg;
    if (typeof alg !== 'string' || alg.toLowerCase() === 'none') throw refused('the token is not signed (alg none)');
    if (typeof header.kid !== 'string' || header.kid === '') throw refused('the token names no key (kid)');
    const key = await this.#keys.find(header.kid);
    if (key === undefined) throw refused('unknown or inactive signing key');
    if (key.alg !== alg) throw refused(`the algorithm is not that of the key (${key.alg})`);
    return key;
  }

  async #payloadOf(token: string, key: VerificationKey): Promise<JWTPayload> {
    const options: JWTVerifyOptions = {
      algorithms: key.alg === 'EdDSA' ? ['EdDSA', 'Ed25519'] : [key.alg],
      audience: playbackAudience,
      issuer: this.#issuer,
      clockTolerance: skewMs / 1000,
      currentDate: new Date(this.#now()),
      requiredClaims: ['exp'],
    };
    try {
      return (await jwtVerify(token, key.key, options)).payload;
    } catch (error) {
      throw explain(error);
    }
  }

  #grant(namespaces: string[][], kid: string, endsAt: number): Grant {
    const keys = this.#keys;
    const lapsed = (): string | undefined => {
      if (this.#now() >= endsAt) return `${authFailed}the token has expired`;
      if (!keys.isActive(kid)) return `${authFailed}the signing key was deactivated`;
      return undefined;
    };
    const watch = (end: (reason: string) => void): (() => void) => {
      let timer: NodeJS.Timeout | undefined;
      const check = (): void => {
        clearTimeout(timer);
        const reason = lapsed();
        if (reason === undefined) {
          timer = setTimeout(check, Math.min(maxTimerMs, Math.max(1, endsAt - this.#now())));
        } else {
          stop();
          end(reason);
        }
      };
      const release = keys.hold(check);
      const stop = (): void => {
        clearTimeout(timer);
        release();
      };
      check();
      return stop;
    };
    return { kind: 'playback', publish: [], subscribe: namespaces, lapsed, watch };
  }
}

function namespacesOf(payload: JWTPayload): string[][] {
  const { ns } = payload;
  if (!Array.isArray(ns) || ns.length === 0) throw refused('the token names no namespace (ns)');
  return ns.map((namespace) => {
    const fields = typeof namespace === 'string' ? namespace.split('/') : [];
    if (fields.length === 0 || fields.includes('')) throw refused('the token names a malformed namespace');
    return fields;
  });
}

function explain(error: unknown): StreamsError {
  if (error instanceof errors.JWTExpired) {
    return new StreamsError('TOKEN_EXPIRED', `${authFailed}the token has expired`);
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    switch (error.claim) {
      case 'nbf':
        return refused('the token is not valid yet');
      case 'aud':
        return refused('the token is for another audience');
      case 'iss':
        return refused('the token is from another issuer');
      default:
        return refused(`the claim ${error.claim} is missing or wrong`);
    }
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) return refused('the signature does not match the key');
  return refused('the token is malformed');
}

function refused(reason: string): StreamsError {
  return new StreamsError('TOKEN_INVALID', `${authFailed}${reason}`);
}

import { decodeProtectedHeader, errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose';
import { playbackAudience, playbackTokenLimits } from '../contract/playback-token.ts';
import { StreamsError } from '../core/errors.ts';
import { addressAllowed } from './address-rule.ts';
import type { Grant } from './grant.ts';
import type { KeySet, VerificationKey } from './jwks.ts';
import type { RevocableSession, Revocations } from './revocations.ts';
import { nameSaidTwice } from './token-json.ts';

export type PlaybackTokenOptions = {
  readonly keys: KeySet;
  readonly issuer: string;
  /** Without it nothing is ever revoked. */
  readonly revocations?: Revocations;
  /** Throws TOKEN_INVALID when the one-time token was used before; without it one-time tokens are refused. */
  readonly redeem?: (token: { org: string; jti: string; expiresAt: number }) => Promise<void>;
  /** Milliseconds since the Unix epoch; for tests. */
  readonly now?: () => number;
};

/** Who shows the token, for tokens that are bound to an address or a web page. */
export type TokenBearer = { remoteAddress?: string | undefined; origin?: string | undefined };

type Verified = {
  namespaces: string[][];
  tracks: string[] | undefined;
  kid: string;
  endsAt: number;
  session: Extract<RevocableSession, { kind: 'playback' }>;
};

const { longestSeconds, headStartSeconds, skewSeconds, maxLength } = playbackTokenLimits;
const skewMs = skewSeconds * 1000;
/** The head start of `nbf` and the clocks' difference may come on top. */
const maxLifetimeSeconds = longestSeconds + 2 * skewSeconds;
/** setTimeout takes no more. */
const maxTimerMs = 2 ** 31 - 1;

/** Verifies playback JWTs (design.md section 6). */
export class PlaybackTokens {
  readonly #keys: KeySet;
  readonly #issuer: string;
  readonly #now: () => number;
  readonly #revocations: Revocations | undefined;
  readonly #redeem: PlaybackTokenOptions['redeem'];

  constructor(options: PlaybackTokenOptions) {
    this.#keys = options.keys;
    this.#issuer = options.issuer;
    this.#now = options.now ?? Date.now;
    this.#revocations = options.revocations;
    this.#redeem = options.redeem;
  }

  /** What the token allows on `/playback/<id>`. Throws TOKEN_INVALID or TOKEN_EXPIRED, or API_UNREACHABLE. */
  async verify(token: string, id: string, client: TokenBearer = {}): Promise<Grant> {
    if (token.length > maxLength) throw refused('the token is too long');
    const key = await this.#keyOf(token);
    const payload = await this.#payloadOf(token, key);
    const namespaces = namespacesOf(payload);
    if (!namespaces.every(([root, org]) => root === 'stream' && org === key.org))
      throw refused('the signing key belongs to another org');
    if (!namespaces.some((namespace) => namespace.at(-1) === id)) throw refused('the token is for another input');
    const expiresAt = payload.exp! * 1000;
    checkLifetime(payload);
    checkBearer(payload, client);
    const session = {
      kind: 'playback',
      org: key.org,
      ids: namespaces.map((namespace) => namespace.at(-1)!),
      viewer: payload.sub ?? '',
      jti: payload.jti,
      issuedAt: (payload.iat ?? 0) * 1000,
    } as const;
    await this.#revocations?.ready();
    if (this.#revocations?.covers(session)) throw refused('the token was revoked');
    const tracks = textsOf(payload, 'tracks');
    if (payload.once !== undefined && payload.once !== false) await this.#redeemOnce(session, expiresAt);
    // Within the allowed skew a token may be past its time on our clock already.
    const endsAt = expiresAt > this.#now() ? expiresAt : expiresAt + skewMs;
    return this.#grant({ namespaces, tracks, kid: key.kid, endsAt, session });
  }

  async #keyOf(token: string): Promise<VerificationKey> {
    let header: ReturnType<typeof decodeProtectedHeader>;
    try {
      header = decodeProtectedHeader(token);
    } catch {
      throw refused('not a token');
    }
    const twice = nameSaidTwice(token);
    if (twice !== undefined) throw refused(`the token says ${twice} twice`);
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

  async #redeemOnce({ org, jti }: { org: string; jti: string | undefined }, expiresAt: number): Promise<void> {
    if (jti === undefined) throw refused('a one-time token needs an id (jti)');
    if (this.#redeem === undefined) throw refused('one-time tokens are not taken here');
    await this.#redeem({ org, jti, expiresAt });
  }

  #grant({ namespaces, tracks, kid, endsAt, session }: Verified): Grant {
    const keys = this.#keys;
    const revocations = this.#revocations;
    const lapsed = (): string | undefined => {
      if (this.#now() >= endsAt) return 'the token has expired';
      if (!keys.isActive(kid)) return 'the signing key was deactivated';
      if (revocations?.covers(session)) return 'the token was revoked';
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
      const releaseKeys = keys.hold(check);
      const releaseRevocations = revocations?.hold(check);
      const stop = (): void => {
        clearTimeout(timer);
        releaseKeys();
        releaseRevocations?.();
      };
      check();
      return stop;
    };
    return {
      kind: 'playback',
      publish: [],
      subscribe: namespaces,
      ...(tracks && { tracks }),
      viewer: session.viewer,
      lapsed,
      watch,
      remainingMs: () => endsAt - this.#now(),
    };
  }
}

/** So that what was revoked need not be remembered for ever. */
function checkLifetime({ exp, iat, nbf }: JWTPayload): void {
  const from = nbf ?? iat;
  if (from === undefined) throw refused('the token does not say from when it is good (iat, nbf)');
  if (exp! - from > maxLifetimeSeconds) throw refused('the token lives longer than 24 h');
  if (iat !== undefined && from - iat > headStartSeconds)
    throw refused('the token was issued more than 7 days before it is good');
}

function checkBearer(payload: JWTPayload, { remoteAddress = '', origin }: TokenBearer): void {
  const addresses = textsOf(payload, 'addresses');
  if (addresses !== undefined && !addressAllowed(addresses, remoteAddress))
    throw refused('the token is for another network address');
  const origins = textsOf(payload, 'origins');
  if (origins !== undefined && (origin === undefined || !origins.includes(origin)))
    throw refused('the token is for another web page (origin)');
}

/** A claim that narrows: absent is fine, anything but a list of strings is not. */
function textsOf(payload: JWTPayload, claim: string): string[] | undefined {
  const value = payload[claim];
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.every((text) => typeof text === 'string')) return value;
  throw refused(`the claim ${claim} is not a list of strings`);
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
    return new StreamsError('TOKEN_EXPIRED', 'the token has expired');
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
  return new StreamsError('TOKEN_INVALID', reason);
}

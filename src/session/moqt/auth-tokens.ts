import { sessionCodes } from '../../codec/moqt/codes.ts';
import { type AuthToken, decodeAuthToken, encodeAuthToken } from '../../codec/moqt/fields/auth-token.ts';
import type { MessageParameters } from '../../codec/moqt/fields/parameters.ts';
import { MoqtError, protocolViolation } from '../../codec/moqt/moqt-error.ts';
import type { Varints } from '../../codec/moqt/varint.ts';

/** What we let a peer register, bytes (draft-18 10.3.1.3 MAX_AUTH_TOKEN_CACHE_SIZE). */
export const maxAuthTokenCacheSize = 16 * 1024;
/** What a registered token counts beside its value. */
const tokenOverhead = 16;

/** The tokens a peer has registered in this session, by alias (draft-18 10.2.2). */
export class AuthTokens {
  readonly #varints: Varints;
  readonly #byAlias = new Map<number, AuthToken>();
  #size = 0;

  constructor(varints: Varints) {
    this.#varints = varints;
  }

  /** Those of SETUP: what does not fit in the cache is used once. Throws MoqtError. */
  ofSetup(structures: readonly Uint8Array[] = []): AuthToken[] {
    return structures.map((bytes) => {
      const wire = decodeAuthToken(this.#varints, bytes);
      if (wire.kind === 'delete' || wire.kind === 'useAlias')
        throw protocolViolation('an authorization alias in SETUP');
      if (wire.kind === 'register' && this.#fits(wire.token)) this.#register(wire.alias, wire.token);
      return wire.token;
    });
  }

  /** Those of a request or its update, aliases resolved. Throws MoqtError: each mistake here ends the session. */
  ofRequest(structures: readonly Uint8Array[] = []): AuthToken[] {
    const tokens: AuthToken[] = [];
    for (const bytes of structures) {
      const wire = decodeAuthToken(this.#varints, bytes);
      if (wire.kind === 'useValue') tokens.push(wire.token);
      else if (wire.kind === 'register') {
        if (!this.#byAlias.has(wire.alias) && !this.#fits(wire.token))
          throw new MoqtError(sessionCodes.authTokenCacheOverflow, 'too many authorization tokens registered');
        this.#register(wire.alias, wire.token);
        tokens.push(wire.token);
      } else {
        const token = this.#registered(wire.alias);
        if (wire.kind === 'useAlias') tokens.push(token);
        else {
          this.#byAlias.delete(wire.alias);
          this.#size -= sizeOf(token);
        }
      }
    }
    return tokens;
  }

  #registered(alias: number): AuthToken {
    const token = this.#byAlias.get(alias);
    if (token === undefined)
      throw new MoqtError(sessionCodes.unknownAuthTokenAlias, `authorization token alias ${alias}`);
    return token;
  }

  #register(alias: number, token: AuthToken): void {
    if (this.#byAlias.has(alias))
      throw new MoqtError(sessionCodes.duplicateAuthTokenAlias, `authorization token alias ${alias}`);
    this.#byAlias.set(alias, token);
    this.#size += sizeOf(token);
  }

  #fits(token: AuthToken): boolean {
    return this.#size + sizeOf(token) <= maxAuthTokenCacheSize;
  }
}

function sizeOf({ value }: AuthToken): number {
  return tokenOverhead + value.length;
}

/** Tokens of ours as a request carries them: each by value, none registered. */
export function tokensParameter(
  { dialect }: { readonly dialect: { readonly varints: Varints } },
  tokens: readonly AuthToken[] | undefined,
): Pick<MessageParameters, 'authorizationTokens'> {
  if (tokens === undefined || tokens.length === 0) return {};
  const { varints } = dialect;
  return { authorizationTokens: tokens.map((token) => encodeAuthToken(varints, { kind: 'useValue', token })) };
}

import { StreamsError } from '../../core/errors.ts';
import type { AuthoriseRequest, Authoriser, Grant } from '../grant.ts';
import type { NamespacePattern } from '../pattern.ts';
import { type RelayClaims, type Rights, rightsAt } from './claims.ts';
import type { KeySource } from './key-source.ts';
import { parsePath } from './paths.ts';
import { keyIdOf, skewMs, verifyToken } from './token.ts';

export type TokenAuthoriserOptions = {
  /** Without it nobody can have a token. */
  readonly keys?: KeySource;
  /** What anybody may do without a token. */
  readonly anonymous: {
    readonly publish: readonly NamespacePattern[];
    readonly subscribe: readonly NamespacePattern[];
  };
  /** Milliseconds since the Unix epoch; for tests. */
  readonly now?: () => number;
};

const maxPathLength = 16_384;
/** setTimeout takes no more. */
const maxTimerMs = 2 ** 31 - 1;

/**
 * Sessions as moq-relay has them: the path is the root of what the session names, `?jwt=` says what it may do there. A token
 * holds until its `exp`; one that is refused never falls back to what anybody may do.
 */
export function tokenAuthoriser(options: TokenAuthoriserOptions): Authoriser {
  const now = options.now ?? Date.now;
  const { keys, anonymous } = options;

  async function claimsOf(token: string | undefined): Promise<RelayClaims> {
    if (token === undefined) return { root: [], ...anonymous };
    if (keys === undefined) throw new StreamsError('UNAUTHORIZED', 'this relay has no keys for tokens');
    return verifyToken(await keys.find(keyIdOf(token)), token, now());
  }

  return {
    async authorise(request: AuthoriseRequest): Promise<Grant> {
      const { root, token = request.token } = parse(request.path);
      const claims = await claimsOf(token);
      const rights = rightsAt(root, claims);
      if (rights !== undefined) return grant(root, rights, claims, now);
      const reason = token === undefined ? 'a token is needed here (?jwt=)' : 'the token is for another path';
      throw new StreamsError('UNAUTHORIZED', reason);
    },
  };
}

function grant(root: readonly string[], rights: Rights, claims: RelayClaims, now: () => number): Grant {
  const { publish, subscribe } = rights;
  const { expiresAt, cluster = false } = claims;
  const kind = publish.length === 0 ? 'playback' : subscribe.length === 0 ? 'publish' : 'both';
  const endsAt = endOf(expiresAt, now());
  const lapsed = (): string | undefined => (now() >= endsAt ? 'the token has expired' : undefined);
  const watch = (end: (reason: string) => void): (() => void) => {
    if (endsAt === Number.POSITIVE_INFINITY) return () => {};
    let timer: NodeJS.Timeout;
    const check = (): void => {
      const reason = lapsed();
      if (reason !== undefined) end(reason);
      else timer = setTimeout(check, Math.min(maxTimerMs, Math.max(1, endsAt - now())));
    };
    check();
    return () => clearTimeout(timer);
  };
  const remainingMs = (): number | undefined => (endsAt === Number.POSITIVE_INFINITY ? undefined : endsAt - now());
  return { kind, root, cluster, publish, subscribe, lapsed, watch, remainingMs };
}

/** Milliseconds. Within the allowed skew a token may be past its time on our clock already. */
function endOf(expiresAt: number | undefined, now: number): number {
  if (expiresAt === undefined) return Number.POSITIVE_INFINITY;
  return expiresAt * 1000 > now ? expiresAt * 1000 : expiresAt * 1000 + skewMs;
}

function parse(path: string): { root: string[]; token: string | undefined } {
  if (path.length > maxPathLength) throw new StreamsError('NOT_FOUND', 'the path is too long');
  const mark = path.indexOf('?');
  const query = new URLSearchParams(mark < 0 ? '' : path.slice(mark + 1));
  const token = query.getAll('jwt').findLast((each) => each !== '');
  try {
    const fields = parsePath(mark < 0 ? path : path.slice(0, mark));
    return { root: fields.map(decodeURIComponent), token };
  } catch {
    throw new StreamsError('NOT_FOUND', 'no such path', { hint: 'paths are /<namespace>?jwt=<token>' });
  }
}

import { StreamsError } from '../../core/errors.ts';
import { covers, type NamespacePattern, reaches } from '../pattern.ts';
import { parsePath, parsePattern, parsePrefix } from './paths.ts';

/** What a token grants, or a key may grant at most. The patterns are whole: the root is in them. */
export type Rights = {
  readonly root: readonly string[];
  readonly publish: readonly NamespacePattern[];
  readonly subscribe: readonly NamespacePattern[];
};

/** Times in seconds since the Unix epoch. */
export type RelayClaims = Rights & {
  readonly expiresAt?: number;
  readonly issuedAt?: number;
  /** Its bearer is a relay of the cluster. */
  readonly cluster?: boolean;
};

/** The names of the two rights through moq-relay's generations, newest first. Only the newest present counts. */
const generations = [
  { publish: 'publish', subscribe: 'subscribe', parse: parsePattern },
  { publish: 'put', subscribe: 'get', parse: parsePrefix },
  { publish: 'pub', subscribe: 'sub', parse: parsePrefix },
] as const;

/** A claim we do not know may narrow the token, a misspelled one would widen it: both refuse it. */
const otherClaims = ['root', 'exp', 'iat', 'nbf', 'iss', 'jti', 'cluster'];
const knownClaims = new Set([...otherClaims, ...generations.flatMap(({ publish, subscribe }) => [publish, subscribe])]);

const maxRights = 64;

/** Claims of a token whose signature has been verified. Throws TOKEN_INVALID. */
export function parseClaims(payload: Readonly<Record<string, unknown>>): RelayClaims {
  for (const name of Object.keys(payload)) {
    if (!knownClaims.has(name)) throw invalid(`the claim ${name.slice(0, 40)} is unknown`);
  }
  const rights = parseRights(payload);
  const { exp, iat, cluster } = payload;
  if (cluster !== undefined && typeof cluster !== 'boolean') throw invalid('the claim cluster is not true or false');
  if (exp !== undefined && typeof exp !== 'number') throw invalid('the claim exp is not a number');
  return {
    ...rights,
    ...(exp !== undefined && { expiresAt: exp }),
    ...(typeof iat === 'number' && { issuedAt: iat }),
    ...(cluster === true && { cluster }),
  };
}

/** The `root`, `put` and `get` (or their other names) of a token or of a key's scope. Throws TOKEN_INVALID. */
export function parseRights(object: Readonly<Record<string, unknown>>): Rights {
  const { root: text = '' } = object;
  if (typeof text !== 'string') throw invalid('the claim root is not a string');
  const generation = generations.find(
    (each) => object[each.publish] !== undefined || object[each.subscribe] !== undefined,
  );
  try {
    const root = parsePath(text);
    const list = (name: string): NamespacePattern[] =>
      listOf(name, object[name]).map((each) => generation!.parse(root, each));
    const publish = generation === undefined ? [] : list(generation.publish);
    const subscribe = generation === undefined ? [] : list(generation.subscribe);
    if (publish.length + subscribe.length > 0) return { root, publish, subscribe };
  } catch (error) {
    if (error instanceof StreamsError && error.code === 'MALFORMED') throw invalid(error.message);
    throw error;
  }
  throw invalid('nothing may be published and nothing subscribed to');
}

function listOf(name: string, claim: unknown): string[] {
  const list = claim === undefined ? [] : Array.isArray(claim) ? claim : [claim];
  if (list.length > maxRights || !list.every((each) => typeof each === 'string')) {
    throw invalid(`the claim ${name} is not a list of paths`);
  }
  return list;
}

/** Every right is within the scope. Compared whole, so it does not matter how each is split at its root. */
export function isWithin(scope: Rights, rights: Rights): boolean {
  return (['publish', 'subscribe'] as const).every((role) =>
    rights[role].every((inner) => scope[role].some((outer) => covers(outer, inner))),
  );
}

/**
 * The rights that a session at `path` can use. undefined when the path and the root are unrelated (neither is a prefix of
 * the other), or no right reaches the path.
 */
export function rightsAt(path: readonly string[], rights: Rights): Rights | undefined {
  const { root } = rights;
  const shorter = Math.min(root.length, path.length);
  if (root.slice(0, shorter).some((field, i) => field !== path[i])) return undefined;
  const publish = rights.publish.filter((each) => reaches(each, path));
  const subscribe = rights.subscribe.filter((each) => reaches(each, path));
  return publish.length + subscribe.length === 0 ? undefined : { root, publish, subscribe };
}

function invalid(reason: string): StreamsError {
  return new StreamsError('TOKEN_INVALID', reason);
}

import { matches, type NamespacePattern } from './pattern.ts';

/** What the path of a session entitles it to. */
export type Grant = {
  readonly kind: 'publish' | 'playback' | 'both';
  /** What the session names is relative to it. Absent: the session names whole namespaces. */
  readonly root?: readonly string[];
  /** Whole namespaces, exactly these; or patterns of them. */
  readonly publish: readonly Namespaces[];
  readonly subscribe: readonly Namespaces[];
  /** The only media tracks it may have, by name; catalogs are always allowed. Absent: all. */
  readonly tracks?: readonly string[];
  /** Who watches, by the token's subject; absent where it says nothing. */
  readonly viewer?: string;
  /** Why the grant no longer holds, in words that begin with `auth_failed: `; undefined while it does. */
  lapsed(): string | undefined;
  /** Calls `end` once when the grant lapses. Answers how to stop watching. */
  watch(end: (reason: string) => void): () => void;
  /** Told once the session is over, for whoever keeps account. */
  over?(how: { readonly reason: string; readonly bytesSent: number; readonly bytesReceived: number }): void;
};

export type AuthoriseRequest = {
  /** Path and query as the client sent them. Never to be logged. */
  readonly path: string;
  /** `address:port` of the client. */
  readonly remoteAddress: string;
  /** Kind of its transport; absent for plain HTTP. */
  readonly via?: string;
  /** Of the web page that connects, e.g. `https://example.com`; absent where it is no page. */
  readonly origin?: string;
};

/**
 * Resolves a session's path. Throws StreamsError: UNAUTHORIZED, TOKEN_INVALID or TOKEN_EXPIRED with a message that begins with
 * `auth_failed: `; NOT_FOUND for a path that is none of ours; any other code when it cannot be decided now.
 */
export interface Authoriser {
  authorise(request: AuthoriseRequest): Promise<Grant>;
}

/** Prefix of every refusal: players take it as final. */
export const authFailed = 'auth_failed: ';

const catalogs = new Set(['.catalog', 'catalog', 'catalog.json']);

export function allowsTrack(grant: Pick<Grant, 'tracks'>, name: string): boolean {
  return grant.tracks === undefined || catalogs.has(name) || grant.tracks.includes(name);
}

type Namespaces = readonly string[] | NamespacePattern;

/** `namespace`: whole, the root of the session included. */
export function allows(granted: readonly Namespaces[], namespace: readonly string[]): boolean {
  return granted.some((each) => matches('below' in each ? each : { fields: each, below: false }, namespace));
}

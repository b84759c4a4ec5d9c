/** What the path of a session entitles it to. Namespaces are exact, never prefixes. */
export type Grant = {
  readonly kind: 'publish' | 'playback';
  readonly publish: readonly (readonly string[])[];
  readonly subscribe: readonly (readonly string[])[];
  /** Why the grant no longer holds, in words that begin with `auth_failed: `; undefined while it does. */
  lapsed(): string | undefined;
  /** Calls `end` once when the grant lapses. Answers how to stop watching. */
  watch(end: (reason: string) => void): () => void;
};

export type AuthoriseRequest = {
  /** Path and query as the client sent them. Never to be logged. */
  readonly path: string;
  /** `address:port` of the client. */
  readonly remoteAddress: string;
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

export function allows(namespaces: readonly (readonly string[])[], namespace: readonly string[]): boolean {
  return namespaces.some(
    (allowed) => allowed.length === namespace.length && allowed.every((field, i) => field === namespace[i]),
  );
}

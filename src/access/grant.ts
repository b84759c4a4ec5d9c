import { matches, type NamespacePattern } from './pattern.ts';

/** What the path of a session entitles it to. */
export type Grant = {
  readonly kind: 'publish' | 'playback' | 'both';
  /** What the session names is relative to it. Absent: the session names whole namespaces. */
  readonly root?: readonly string[];
  /** Whole namespaces, exactly these; or patterns of them. */
  readonly publish: readonly Namespaces[];
  readonly subscribe: readonly Namespaces[];
  /** The session is one of a relay of the cluster. */
  readonly cluster?: boolean;
  /** The only media tracks it may have, by name; catalogs are always allowed. Absent: all. */
  readonly tracks?: readonly string[];
  /** The viewer's id: the subject of the token; absent where the token has none. */
  readonly viewer?: string;
  /** Why the grant no longer holds, in words; undefined while it does. */
  lapsed(): string | undefined;
  /** Calls `end` once when the grant lapses. Returns how to stop watching. */
  watch(end: (reason: string) => void): () => void;
  /** For how many milliseconds it still holds by its own terms; absent, or undefined: they set no end. */
  remainingMs?(): number | undefined;
  /** Told once the session is established, for whoever keeps account; `figures` may be read until `over`. */
  opened?(session: { readonly version: string; figures(): SessionFigures }): void;
  /** Told once the session is over, whether it was established or not. */
  over?(how: SessionFigures & { readonly reason: string }): void;
};

/** What a session has carried so far; bytes are those of its transport. */
export type SessionFigures = {
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** Written to it, and taken from it. */
  readonly objectsSent: number;
  readonly objectsReceived: number;
  /** Not given to it since it was slow. */
  readonly objectsDropped: number;
  readonly groupsDropped: number;
  /** From the session's opening to the first object of a track that is no catalog, ms; absent before it. */
  readonly joinMs?: number;
};

export type AuthoriseRequest = {
  /** Path and query as the client sent them. Never to be logged. */
  readonly path: string;
  /** The token of SETUP or of a request (draft-18 10.2.2), a secret. Absent where the path carries a credential, which counts before it. */
  readonly token?: string;
  /** `address:port` of the client. */
  readonly remoteAddress: string;
  /** Kind of its transport; absent for plain HTTP. */
  readonly via?: string;
  /** Of the web page that connects, e.g. `https://example.com`; absent where it is no page. */
  readonly origin?: string;
};

/**
 * Resolves a session's path. Throws StreamsError: UNAUTHORIZED, TOKEN_INVALID or TOKEN_EXPIRED when it is refused;
 * NOT_FOUND for a path that is none of ours; any other code when it cannot be decided now.
 */
export interface Authoriser {
  authorise(request: AuthoriseRequest): Promise<Grant>;
}

export const nothingCarried: SessionFigures = {
  bytesSent: 0,
  bytesReceived: 0,
  objectsSent: 0,
  objectsReceived: 0,
  objectsDropped: 0,
  groupsDropped: 0,
};

const catalogs = new Set(['.catalog', 'catalog', 'catalog.json']);

/** Before the name of a track whose init segment is in a catalog of other players: the same media. */
export const barePrefix = 'cmaf/';

/** A rendition may be had in each of its two forms. */
export function allowsTrack({ tracks }: Pick<Grant, 'tracks'>, name: string): boolean {
  if (tracks === undefined || isCatalog(name) || tracks.includes(name)) return true;
  return name.startsWith(barePrefix) && tracks.includes(name.slice(barePrefix.length));
}

export function isCatalog(trackName: string): boolean {
  return catalogs.has(trackName);
}

type Namespaces = readonly string[] | NamespacePattern;

/** `namespace`: whole, the root of the session included. */
export function allows(granted: readonly Namespaces[], namespace: readonly string[]): boolean {
  return granted.some((each) => matches('below' in each ? each : { fields: each, below: false }, namespace));
}

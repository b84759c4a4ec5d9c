import type { RangeFilters } from '../codec/moqt/fields/range-filters.ts';
import type { TrackName } from '../codec/moqt/model.ts';

/** Of the faces of a session (types.ts) those by which namespaces are announced and found. */

export type Refusal = { code: number; reason: string };

/** A peer says it has tracks below a namespace. It holds until `ended`. */
export interface IncomingNamespace {
  readonly namespace: readonly string[];
  /** Through which relays it came, the nearest last; undefined where the peer cannot say. */
  readonly hops?: Hops | undefined;
  /** What that way costs up to the peer; undefined where the version has no costs. */
  readonly cost?: number | undefined;
  /** Calls `moved` when it comes another way, or at another cost, from now on. */
  onMoved?(moved: (hops: Hops, cost?: number) => void): void;
  accept(): void;
  reject(code: number, reason: string): void;
  /** Resolves when the peer withdrew it or the session ended; never rejects. */
  readonly ended: Promise<void>;
  /** Ask the publisher to stop (no more interest). */
  cancel(): void;
}

/** We said it. */
export interface PublishedNamespace {
  /** Resolves when the peer cancelled it or the session ended; never rejects. */
  readonly ended: Promise<void>;
  withdraw(): void;
}

/** A peer wants to hear of the namespaces, or to be offered the tracks, below a prefix. Answer exactly once. */
export interface IncomingPrefix {
  readonly prefix: readonly string[];
  /** For tracks: what PUBLISH shall say. */
  readonly forward: boolean;
  /** For tracks: which ones, and what of them (draft-19 5.1.3); as they are now, undefined: all. */
  readonly rangeFilters?: RangeFilters | undefined;
  readonly cancelled: Promise<void>;
  accept(hooks?: PrefixHooks): PrefixFeed;
  reject(code: number, reason: string, retryMs?: number): void;
}

export type PrefixHooks = {
  /** The peer wants another prefix. */
  retarget?(prefix: readonly string[]): Refusal | undefined;
  /** It has it, or other filters: tell what is below. What was told before and is below it too need not be repeated. */
  retargeted?(): void;
};

/** Whole names; what is not below the prefix, or was told already, is left out. */
export interface PrefixFeed {
  /** Once more with other hops, or another cost: it comes another way now. */
  announce(namespace: readonly string[], hops?: Hops, cost?: number): void;
  withdraw(namespace: readonly string[]): void;
  /** PUBLISH_BLOCKED: this track is not offered, though it is there. */
  blocked(track: TrackName): void;
}

/** Twice active with no end between: it comes another way now. */
export type NamespaceEvent = {
  readonly namespace: readonly string[];
  readonly active: boolean;
  readonly hops?: Hops;
  /** What that way costs up to the peer; undefined where the version has no costs. */
  readonly cost?: number;
};

/** Ids (62 random bits each) of the relays an announcement passed, origin first: a relay that finds itself in it drops it. */
export type Hops = readonly bigint[];

/** SUBSCRIBE_TRACKS. `rangeFilters`: of tracks, and of the objects of each. */
export type TracksOptions = { readonly forward?: boolean; readonly rangeFilters?: RangeFilters };

/** We asked for a prefix. */
export interface PrefixSubscription<E> {
  /** null once it has ended, after every namespace still active was told to be gone. */
  next(): Promise<E | null>;
  cancel(): void;
}

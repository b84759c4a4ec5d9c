import type { FetchItem } from '../codec/moqt/data/fetch-stream.ts';
import type { ObjectDialect } from '../codec/moqt/dialect.ts';
import type { AuthToken } from '../codec/moqt/fields/auth-token.ts';
import type { RangeFilters } from '../codec/moqt/fields/range-filters.ts';
import type { Location, MoqObject, ObjectStatus, SubscriptionFilter, TrackName } from '../codec/moqt/model.ts';
import type { EndListener, SendStream, Transport } from '../transport/transport.ts';
import type {
  Hops,
  IncomingNamespace,
  IncomingPrefix,
  NamespaceEvent,
  PrefixSubscription,
  PublishedNamespace,
  Refusal,
  TracksOptions,
} from './discovery-types.ts';
import type { SubscriptionTerms } from './terms.ts';

/**
 * The faces of a MoQT conversation, the same in every draft: publishers, subscribers, relays and tests need only these.
 * A `Dialect` (codec/moqt) decides the bytes.
 */

export type {
  Hops,
  IncomingNamespace,
  IncomingPrefix,
  NamespaceEvent,
  PrefixFeed,
  PrefixHooks,
  PrefixSubscription,
  PublishedNamespace,
  Refusal,
  TracksOptions,
} from './discovery-types.ts';
export type {
  AuthToken,
  FetchItem,
  Location,
  MoqObject,
  ObjectStatus,
  RangeFilters,
  SubscriptionFilter,
  SubscriptionTerms,
  TrackName,
};

export type SubscribeOptions = {
  filter?: SubscriptionFilter;
  /** Only objects that pass them (draft-19 on); UNSUPPORTED where the peer takes none, or not so many. */
  rangeFilters?: RangeFilters;
  /** 0 is most urgent; default 128. */
  priority?: number;
  groupOrder?: 'ascending' | 'descending';
  /** false: no objects until `update` says so. Default true. */
  forward?: boolean;
  /** Objects older than this are not sent any more, ms (draft-18 OBJECT_DELIVERY_TIMEOUT). */
  objectTimeoutMs?: number;
  /** How long a subgroup may take to arrive once it is complete, ms (draft-18 SUBGROUP_DELIVERY_TIMEOUT). */
  subgroupTimeoutMs?: number;
  /** See `SubscriptionTerms`. Publishers that cannot (no DYNAMIC_GROUPS) do not mind. */
  newGroupRequest?: number;
  /** How long the relay may hold the request until a publisher appears (draft-18 RENDEZVOUS_TIMEOUT). */
  rendezvousMs?: number;
  /** Authorise this request. */
  tokens?: readonly AuthToken[];
  signal?: AbortSignal;
};

/**
 * What to fetch. `end` is the last location plus one object; object 0 means the whole group. Joining: `groupsBefore` groups
 * before the one at which the subscription started, or everything `fromGroup` on, up to that start.
 */
export type FetchTarget =
  | { readonly track: TrackName; readonly start: Location; readonly end: Location }
  | { readonly joining: Subscription; readonly groupsBefore: number }
  | { readonly joining: Subscription; readonly fromGroup: number };

export type FetchOptions = {
  /** As of `SubscribeOptions`. */
  rangeFilters?: RangeFilters;
  /** 0 is most urgent; default 128. */
  priority?: number;
  /** Default ascending. */
  groupOrder?: 'ascending' | 'descending';
  /** How long a relay may wait for its upstream before it reports objects as unknown (draft-18 FILL_TIMEOUT); 0: not at all. */
  fillTimeoutMs?: number;
  /** Authorise this request. */
  tokens?: readonly AuthToken[];
  signal?: AbortSignal;
};

/** The answer to a fetch of ours. */
export interface FetchedObjects {
  /** Where the answer ends, as in `FetchTarget`: at most one behind the largest location there is. */
  readonly end: Location;
  /** `end` is the end of the track. */
  readonly endOfTrack: boolean;
  /** Undecoded pairs. */
  readonly trackProperties: Uint8Array;
  /** Next object or marker; null when everything was handed out. Throws StreamResetError when the publisher gave up. */
  next(): Promise<FetchItem | null>;
  /** No longer of interest. Idempotent. */
  stop(): void;
}

/** A peer asks us for what was published. Answer exactly once. A joining fetch comes with its range worked out. */
export interface IncomingFetch {
  readonly track: TrackName;
  /** With the request, aliases resolved: secrets. */
  readonly tokens: readonly AuthToken[];
  readonly start: Location;
  /** See `FetchTarget`; never before `start`. */
  readonly end: Location;
  readonly priority: number;
  readonly groupOrder: 'ascending' | 'descending';
  readonly fillTimeoutMs: number | undefined;
  /** Only objects that pass them are wanted; undefined: all. */
  readonly rangeFilters?: RangeFilters | undefined;
  /** Resolves when the peer cancelled, or the session ended; never rejects. */
  readonly cancelled: Promise<void>;
  accept(answer: FetchAnswer): FetchWriter;
  reject(code: number, reason: string, retryMs?: number): void;
}

/** FETCH_OK. `end` as in `FetchTarget`. */
export type FetchAnswer = { end: Location; endOfTrack: boolean; trackProperties?: Uint8Array };

export interface FetchWriter {
  /** Resolves once the stream took it; false: the peer no longer wants it. Items must come in the order asked for. */
  write(item: FetchItem): Promise<boolean>;
  finish(): void;
  reset(code: number): void;
}

export type SubgroupHeader = {
  readonly groupId: number;
  readonly subgroupId: number;
  /** Publisher priority, 0 most urgent. */
  readonly priority: number;
  /** The publisher says the last object of this stream ends the group. */
  readonly endOfGroup: boolean;
  /**
   * Objects of this stream carry a properties field (it may be empty): `encodeObject` must be told the same. Always set on
   * incoming subgroups; absent means false. A relay passes it on.
   */
  readonly properties?: boolean;
  /** The stream begins with the first object the original publisher put in this subgroup. Absent means false. */
  readonly firstObject?: boolean;
};

/** One object that travels as a datagram (draft-18 11.3): it may be lost, and comes in no order. */
export type DatagramObject = {
  readonly groupId: number;
  /** Publisher priority, 0 most urgent. */
  readonly priority: number;
  /** It is the last object of its group. */
  readonly endOfGroup: boolean;
  readonly object: MoqObject;
};

export interface IncomingSubgroup extends SubgroupHeader {
  /** Next object; null after FIN. Throws StreamResetError when the publisher gave the subgroup up. */
  next(): Promise<MoqObject | null>;
  /** No longer of interest. */
  stop(code: number): void;
}

/** We are the subscriber of it. */
export interface Subscription {
  readonly track: TrackName;
  /** Largest location the publisher had when it accepted. */
  readonly largest: Location | undefined;
  /** Undecoded pairs; a relay passes them on. */
  readonly trackProperties: Uint8Array;
  /** Next subgroup stream in arrival order; null when the subscription has ended (see `done`) and all its streams were handed out. */
  nextSubgroup(): Promise<IncomingSubgroup | null>;
  /** Next object that came as a datagram; null when the subscription has ended. Of those nobody asked for in time, the oldest are dropped. */
  nextDatagram(): Promise<DatagramObject | null>;
  /** Settles once, never rejects. `status` is a PUBLISH_DONE code; by: who ended it. */
  readonly done: Promise<SubscriptionEnd>;
  /** After which time the publisher may end it (draft-18 EXPIRES), ms; undefined: it did not say. */
  readonly expiresMs: number | undefined;
  /**
   * REQUEST_UPDATE: what is absent stays. Resolves with what the publisher told in return; rejects with RequestError, and then
   * the publisher ends the subscription. Group order cannot be changed.
   */
  update(terms: Partial<Omit<SubscriptionTerms, 'groupOrder'>>): Promise<UpdateAnswer>;
  /** Gives it up, and stops its streams, those that are being read too: they fail with STREAM_RESET. */
  unsubscribe(): void;
}

export type SubscriptionEnd = { by: 'publisher' | 'local' | 'session'; status: number; reason: string };

export type UpdateAnswer = { largest?: Location; expiresMs?: number };
/** Decides about new terms of a subscription, and puts them into effect. `before` are those that they replace. */
export type UpdateHandler = (terms: SubscriptionTerms, before: SubscriptionTerms) => UpdateAnswer | Refusal;

/** `alias` must be unique among the session's live tracks. */
export type SubscribeAnswer = { alias: number; largest?: Location; expiresMs?: number; trackProperties?: Uint8Array };

/** PUBLISH. `forward` false: nothing is sent until the subscriber wants it. `rangeFilters`: those of its SUBSCRIBE_TRACKS; it may choose others. */
export type PublishOffer = SubscribeAnswer & { forward?: boolean; rangeFilters?: RangeFilters; signal?: AbortSignal };

/** A peer asks us for a track. Answer exactly once with accept or reject; leaving it open is waiting for a publisher. */
export interface IncomingSubscribe {
  readonly track: TrackName;
  /** Tells it from others of the same track, in versions where a session may have several. */
  readonly subscribeId?: number;
  /** With the request, aliases resolved: secrets. */
  readonly tokens: readonly AuthToken[];
  readonly filter: SubscriptionFilter;
  /** See `ObjectDialect`. */
  readonly outlivesRange?: boolean;
  readonly priority: number;
  readonly groupOrder: 'ascending' | 'descending' | undefined;
  readonly forward: boolean;
  readonly rendezvousMs: number;
  readonly terms: SubscriptionTerms;
  /** Resolves when the peer cancelled, or the session ended; never rejects. */
  readonly cancelled: Promise<void>;
  /** Resolves when it is refused, cancelled or done; never rejects. */
  readonly over: Promise<void>;
  /** The peer may not have it any longer: ends it, answered or not, and `cancelled` resolves. */
  revoke(reason: string): void;
  accept(answer: SubscribeAnswer): Publication;
  /** REQUEST_ERROR code (codec/moqt codes.requestError), reason, and when to try again. */
  reject(code: number, reason: string, retryMs?: number): void;
}

/** We are the publisher of it. */
export interface Publication {
  readonly alias: number;
  readonly cancelled: Promise<void>;
  /** As they are now. */
  readonly terms: SubscriptionTerms;
  /** Without a handler, a change of the filters is refused, which ends the publication. */
  onUpdate(handler: UpdateHandler): void;
  /** While the subscriber wants no objects (forward false), the writer takes nothing. */
  openSubgroup(header: SubgroupHeader): SubgroupWriter;
  /** false: it was dropped, being too large for the path, or too many wait, or not wanted now. */
  sendDatagram(datagram: DatagramObject): boolean;
  /** The same with the bytes of the whole datagram, its track alias included: a relay makes them once for all. */
  sendDatagramBytes(bytes: Uint8Array): boolean;
  /**
   * What follows is other content, whose groups may be numbered as those before were. Where the version has no subscription that
   * bears it, this ends it: the subscriber asks anew.
   */
  startOver?(): void;
  /** PUBLISH_DONE with the count of streams opened, after every stream of it was finished or reset. Idempotent. */
  done(status: number, reason: string): void;
}

export interface SubgroupWriter {
  /** The stream, header already written: a relay writes shared bytes made by `encodeObject` straight to it. */
  readonly stream: SendStream;
  /** See SendStream.onEnd. */
  onEnd(listener: EndListener): void;
  /** false: refused as a whole, the queue is full (see SendStream.write). */
  write(object: MoqObject): boolean;
  finish(): void;
  reset(code: number): void;
}

/** A peer offers us a track (draft-18 PUBLISH). Answer exactly once. */
export interface IncomingPublish {
  readonly track: TrackName;
  /** With the request, aliases resolved: secrets. */
  readonly tokens: readonly AuthToken[];
  readonly largest: Location | undefined;
  /** It sends objects without being told to. */
  readonly forward: boolean;
  readonly trackProperties: Uint8Array;
  accept(terms?: Partial<SubscriptionTerms>): Subscription;
  reject(code: number, reason: string): void;
}

/** What a publisher knows of a track. */
export type TrackStatus = {
  /** undefined: nothing was published yet. */
  readonly largest: Location | undefined;
  readonly expiresMs: number | undefined;
  readonly trackProperties: Uint8Array;
};

export interface IncomingTrackStatus {
  readonly track: TrackName;
  /** With the request, aliases resolved: secrets. */
  readonly tokens: readonly AuthToken[];
  readonly cancelled: Promise<void>;
  accept(status: Partial<TrackStatus>): void;
  reject(code: number, reason: string, retryMs?: number): void;
}

/** A handler may go on after it has returned. What it throws or rejects with closes its session with INTERNAL_ERROR. */
type Handled = unknown;

/** What the peer may ask of us; what is missing is refused with NOT_SUPPORTED. */
export type SessionHandlers = {
  subscribe?(request: IncomingSubscribe): Handled;
  fetch?(request: IncomingFetch): Handled;
  trackStatus?(request: IncomingTrackStatus): Handled;
  publish?(request: IncomingPublish): Handled;
  publishNamespace?(announcement: IncomingNamespace): Handled;
  subscribeNamespace?(request: IncomingPrefix): Handled;
  subscribeTracks?(request: IncomingPrefix): Handled;
};

export type PeerSetup = {
  /** Path and query: from SETUP on raw QUIC, from the transport otherwise. Never log the query. */
  readonly path: string;
  readonly authority: string;
  readonly implementation: string;
  /** AUTHORIZATION TOKENs of SETUP: secrets. */
  readonly tokens: readonly AuthToken[];
  /** Who it is in hop lists; undefined where it does not carry them, 0 where it does and does not say who it is. */
  readonly hopId?: bigint;
  /** What it says that it costs to have something from it. */
  readonly relayCost?: number;
};

export type SessionClose = { by: 'local' | 'peer' | 'transport'; code: number; reason: string };

export interface Session {
  readonly transport: Transport;
  /** `moqt-18`, `moq-lite-05`, … */
  readonly version: string;
  /** How objects are written to it: a relay makes the bytes of one object once for all sessions of a version. */
  readonly objects: ObjectDialect;
  readonly peer: PeerSetup;
  /** Settles once, never rejects. */
  readonly closed: Promise<SessionClose>;
  /** Resolves when the peer asks us to leave (uri '' = the same one); stays pending otherwise. */
  readonly goaway: Promise<{ uri: string; timeoutMs: number }>;
  /** Resolves when accepted; rejects with RequestError (code, reason, retryMs) or StreamsError. */
  subscribe(track: TrackName, options?: SubscribeOptions): Promise<Subscription>;
  /** Resolves with FETCH_OK; rejects like `subscribe`. */
  fetch(target: FetchTarget, options?: FetchOptions): Promise<FetchedObjects>;
  trackStatus(track: TrackName): Promise<TrackStatus>;
  /** Offers a track; resolves once the peer agreed, rejects like `subscribe`. */
  publish(track: TrackName, offer: PublishOffer): Promise<Publication>;
  /** `hops` are told only where the version can say them. */
  publishNamespace(namespace: readonly string[], hops?: Hops): Promise<PublishedNamespace>;
  subscribeNamespace(prefix: readonly string[]): Promise<PrefixSubscription<NamespaceEvent>>;
  /** Tracks come to the `publish` handler; the subscription tells which ones do not. */
  subscribeTracks(prefix: readonly string[], options?: TracksOptions): Promise<PrefixSubscription<TrackName>>;
  /**
   * Sends a datagram that says nothing: a peer that is gone does not answer it, one that was restarted answers that it knows
   * no such connection, and the transport closes. Does nothing in versions without padding and on transports without datagrams.
   */
  probe(): void;
  /**
   * Asks the peer to leave, to `uri` if we are a server and know one, within `timeoutMs` (0: no hurry told). Requests of the
   * peer are refused from now on; what is under way goes on until it, or we, close the session. Idempotent.
   */
  sendGoaway(options?: { uri?: string; timeoutMs?: number }): void;
  close(code: number, reason: string): void;
  /** Something went wrong while the session was served: closes it, with the code of a MoqtError and else with INTERNAL_ERROR (see `fault`). */
  fail(error: unknown): void;
}

/**
 * session/establish.ts exports
 * `establish(transport, { role: 'client' | 'server', handlers, path?, authority?, setupTimeoutMs? }): Promise<Session>`,
 * resolving once both SETUPs were exchanged (`accept` hook below may refuse on the server).
 */
export type EstablishOptions = {
  role: 'client' | 'server';
  handlers?: SessionHandlers;
  /** Client on raw QUIC only: goes into SETUP PATH. */
  path?: string;
  authority?: string;
  /** Go into SETUP. */
  tokens?: readonly AuthToken[];
  /** Who we are in hop lists. A server says so to those clients that do. */
  hopId?: bigint;
  /** Said with it: what it costs to have something from us. */
  relayCost?: number;
  /** Default 10 000. */
  setupTimeoutMs?: number;
  /** Told of each error that nobody expected while the session is served; it is closed for it. */
  fault?(error: unknown): void;
  /**
   * Server: decides once the peer's path is known and before any request is handled. Throwing StreamsError closes the
   * session with UNAUTHORIZED (0x2) and the error's message as reason.
   */
  authorise?(peer: PeerSetup): Promise<SessionHandlers>;
};

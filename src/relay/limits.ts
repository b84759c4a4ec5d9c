import { totalmem } from 'node:os';

/** Bounds of a relay. Bytes are payload and framing as cached or queued, times are milliseconds. */
export type RelayLimits = {
  /** Sessions at once, publishers and viewers together. */
  maxSessions: number;
  /** From the first packet to both SETUPs exchanged and the path authorised. */
  handshakeMs: number;
  /** A peer not heard of for this long is gone; `keepAliveMs` is how often a quiet one is asked. */
  idleTimeoutMs: number;
  keepAliveMs: number;
  /** New connections of one address: a bucket of `burst`, refilled at `perSecond`. */
  connectBurst: number;
  connectsPerSecond: number;
  /** Live and held subscriptions of one session. */
  maxSubscriptionsPerSession: number;
  /** Tracks that are still subscribed upstream though nobody watches, of those that one session left or asked the status of. */
  maxLingeringTracksPerSession: number;
  /** Fetches of one session under way at once. */
  maxFetchesPerSession: number;
  /** TRACK_STATUS of one session under way at once. */
  maxStatusesPerSession: number;
  /** SUBSCRIBE_NAMESPACE and SUBSCRIBE_TRACKS of one session, together. */
  maxPrefixesPerSession: number;
  /** Longest wait for upstream while a fetch is answered (draft-18 FILL_TIMEOUT). */
  maxFillMs: number;
  /** Tracks that one session may offer with PUBLISH. */
  maxOffersPerSession: number;
  /** Namespaces that one session may have announced. */
  maxNamespacesPerSession: number;
  /** Namespaces that a SUBSCRIBE_NAMESPACE may match at once. */
  maxNamespacesPerRequest: number;
  /** Subscriptions held for a publisher, all sessions together. */
  maxHeldSubscriptions: number;
  /** Longest hold, whatever the subscriber asks for (draft-18 RENDEZVOUS_TIMEOUT). */
  maxRendezvousMs: number;
  /** Above it older groups of all tracks are dropped, oldest first, until all that is kept is below it, or only newest ones are left. */
  cacheBytes: number;
  /** An older group is dropped at this age. */
  cacheAgeMs: number;
  /**
   * One group keeps at most this much, its subgroups and datagrams together; what it has beyond pushes its first objects out. Each
   * object counts 256 bytes more than it has (see `objectOverhead`), which bounds their number too.
   */
  maxGroupBytes: number;
  /** All groups of one track, of all tracks of one publisher's session, and of all publishers: newest groups are trimmed too. */
  maxTrackBytes: number;
  maxPublisherBytes: number;
  totalBytes: number;
  /** Objects of one publisher's session: a bucket of `objectBurst`, refilled at `objectsPerSecond`; beyond it the session is closed. */
  objectBurst: number;
  objectsPerSecond: number;
  /** Groups, and subgroups in one group, that a publisher may have open on one track. */
  maxGroupsPerTrack: number;
  maxSubgroupsPerGroup: number;
  /** A subscription that has more than this waiting in groups older than the newest loses them. */
  queueBytes: number;
  /** What one stream queues before it refuses more. */
  streamBytes: number;
  queueGroups: number;
  queueAgeMs: number;
  /** How long viewers wait for a vanished publisher to come back before they see PUBLISH_DONE. */
  publisherLingerMs: number;
  /** How long the upstream subscription outlives the last viewer. */
  subscriptionLingerMs: number;
  /** How long a slow viewer may drain a track that has ended. */
  endDrainMs: number;
};

export const defaultLimits: RelayLimits = {
  maxSessions: 10_000,
  handshakeMs: 10_000,
  idleTimeoutMs: 10_000,
  keepAliveMs: 4000,
  connectBurst: 1000,
  connectsPerSecond: 100,
  maxSubscriptionsPerSession: 64,
  maxLingeringTracksPerSession: 64,
  maxFetchesPerSession: 32,
  maxStatusesPerSession: 32,
  maxPrefixesPerSession: 64,
  maxFillMs: 10_000,
  maxOffersPerSession: 256,
  maxNamespacesPerSession: 1000,
  maxNamespacesPerRequest: 1000,
  maxHeldSubscriptions: 10_000,
  maxRendezvousMs: 60_000,
  cacheBytes: 128 << 20,
  cacheAgeMs: 5000,
  maxGroupBytes: 32 << 20,
  maxTrackBytes: 64 << 20,
  maxPublisherBytes: 256 << 20,
  totalBytes: Math.max(512 << 20, Math.floor(machineBytes() / 4)),
  objectBurst: 60_000,
  objectsPerSecond: 10_000,
  maxGroupsPerTrack: 64,
  maxSubgroupsPerGroup: 64,
  queueBytes: 1 << 20,
  streamBytes: 256 << 10,
  queueGroups: 32,
  queueAgeMs: 3000,
  publisherLingerMs: 3000,
  subscriptionLingerMs: 5000,
  endDrainMs: 5000,
};

/** What this process may have of the machine: its own share where it has one (cgroups). */
function machineBytes(): number {
  const own = process.constrainedMemory();
  return own > 0 ? Math.min(own, totalmem()) : totalmem();
}

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
  /** Fetches of one session under way at once. */
  maxFetchesPerSession: number;
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
  /** Older groups of all tracks together. The newest group of each track is kept beside it. */
  cacheBytes: number;
  /** An older group is dropped at this age. */
  cacheAgeMs: number;
  /** One group keeps at most this much; what a group has beyond it pushes its first objects out. */
  maxGroupBytes: number;
  /** Groups, and subgroups in one group, that a publisher may have open on one track. */
  maxGroupsPerTrack: number;
  maxSubgroupsPerGroup: number;
  /** A subscription that has more than this waiting in groups older than the newest loses them. */
  queueBytes: number;
  /** What one stream queues before it refuses more. */
  streamBytes: number;
  queueGroups: number;
  /** Nor may they still be under way so long after the next one began; a subscription may say otherwise (SUBGROUP_DELIVERY_TIMEOUT). */
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
  maxFetchesPerSession: 32,
  maxFillMs: 10_000,
  maxOffersPerSession: 256,
  maxNamespacesPerSession: 1000,
  maxNamespacesPerRequest: 1000,
  maxHeldSubscriptions: 10_000,
  maxRendezvousMs: 60_000,
  cacheBytes: 128 << 20,
  cacheAgeMs: 5000,
  maxGroupBytes: 32 << 20,
  maxGroupsPerTrack: 64,
  maxSubgroupsPerGroup: 64,
  queueBytes: 1 << 20,
  streamBytes: 256 << 10,
  queueGroups: 32,
  queueAgeMs: 1000,
  publisherLingerMs: 3000,
  subscriptionLingerMs: 5000,
  endDrainMs: 5000,
};

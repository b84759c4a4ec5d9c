import { randomBytes } from 'node:crypto';
import type { Hops } from '../../session/types.ts';

/** A longer way is taken for a loop that nobody noticed. */
export const maxHops = 16;

/** Namespaces below it are between the members of a cluster. */
export const internalField = '.internal';

/** Who is at the other end of a session, as routes see it. */
export type Peer = {
  /** A relay of our cluster: what it announces came to the cluster elsewhere. */
  readonly isMember: boolean;
  /** What it is in hop lists; undefined while it has not said so. */
  id: bigint | undefined;
  /** What it costs to have something from it; 1 where nobody says. */
  readonly cost?: number;
};

/** How an announcement reached us. */
export type Route = {
  readonly by: Peer;
  /** The relays it passed, the origin first and the one that told us last. Never empty. */
  readonly hops: Hops;
  /** Of the whole way; as many as it has links where nobody says. */
  readonly cost?: number;
};

type Routed = { readonly route?: Route | undefined };

/** An id in hop lists: 62 random bits, never 0. */
export function randomHop(): bigint {
  return (randomBytes(8).readBigUInt64BE() >> 2n) | 1n;
}

/**
 * The way of an announcement that `by` made. `said`: what it costs up to there; a version that does not say has links of one each
 * (draft-lcurley-moq-cluster, Accumulating Cost).
 */
export function routeBy(by: Peer, hops: Hops, said: number | undefined): Route {
  return { by, hops, cost: Math.min((said ?? hops.length - 1) + (by.cost ?? 1), Number.MAX_SAFE_INTEGER) };
}

export function costOf({ hops, cost }: Route): number {
  return cost ?? hops.length;
}

/** It was announced to another relay of the cluster, which told us. */
export function isRemote({ route }: Routed): boolean {
  return route?.by.isMember === true;
}

/** What an announcement says of its way may be followed. */
export function isUsable(hops: Hops | undefined, own: bigint): hops is Hops {
  return hops !== undefined && hops.length > 0 && hops.length <= maxHops && !hops.includes(own);
}

/** It came from that peer, or from another session of the same relay, or through it: to send it back would be a loop. */
export function leadsTo({ route }: Routed, peer: Peer): boolean {
  if (route === undefined) return false;
  const { id, isMember } = peer;
  if (isMember && route.by === peer) return true;
  return id !== undefined && (route.by.id === id || route.hops.includes(id));
}

/**
 * Orders publishers of one namespace, the one to use first: those that are here, then the cheapest way, then the fewest hops.
 * What is left to choose every relay chooses alike, by the ids. 0: the newer first.
 */
export function compareRoutes(a: Routed, b: Routed): number {
  const [remoteA, remoteB] = [isRemote(a), isRemote(b)];
  if (!remoteA || !remoteB) return Number(remoteA) - Number(remoteB);
  const [costA, costB] = [costOf(a.route!), costOf(b.route!)];
  if (costA !== costB) return costA - costB;
  const [hopsA, hopsB] = [a.route!.hops, b.route!.hops];
  if (hopsA.length !== hopsB.length) return hopsA.length - hopsB.length;
  for (let i = hopsA.length - 1; i >= 0; i--) {
    if (hopsA[i] !== hopsB[i]) return hopsA[i]! < hopsB[i]! ? -1 : 1;
  }
  return 0;
}

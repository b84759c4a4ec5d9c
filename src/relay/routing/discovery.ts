import type { Grant } from '../../access/grant.ts';
import { requestErrorCodes } from '../../codec/moqt/codes.ts';
import type { ObjectDialect } from '../../codec/moqt/dialect.ts';
import { StreamsError } from '../../core/errors.ts';
import { filtersWithin } from '../../session/object-filter.ts';
import { RequestError } from '../../session/request-error.ts';
import type { IncomingPrefix, PrefixFeed, PrefixHooks, Refusal, Session, TrackName } from '../../session/types.ts';
import { cannotBeSaid } from '../cannot-be-said.ts';
import type { SessionTally } from '../reports/session-tally.ts';
import { maySeeNamespace, refusalToDiscover, refusalToSubscribe } from '../rights/session-rights.ts';
import { namespaceKey } from '../upstream/namespace-publisher.ts';
import { costOf, leadsTo, type Peer } from '../upstream/route.ts';
import type { OfferedTrack } from './offered-track.ts';
import type { PrefixWatcher } from './prefix-watchers.ts';
import type { Router } from './router.ts';

export type Discoverer = {
  readonly grant: Grant;
  readonly session: Session;
  readonly dialect: ObjectDialect;
  readonly tally: SessionTally;
  readonly router: Router;
  readonly peer: Peer;
  /** Ours in hop lists. */
  readonly hopId: bigint;
  /** Most namespaces that one request may match when it is made. */
  readonly maxNamespaces: number;
  /** Ends the session: serving it went wrong in a way that nobody expected. */
  fail(error: unknown): void;
  /** Takes one of the session's subscriptions; undefined: there is no room, or it has the track already. */
  claim(track: TrackName): 'taken' | 'full' | (() => void);
};

/** SUBSCRIBE_NAMESPACE (draft-18 6.1): the namespaces the session may see, as they come and go. */
export async function followNamespaces(request: IncomingPrefix, by: Discoverer): Promise<void> {
  const root = by.grant.root ?? [];
  const whole = (prefix: readonly string[]): string[] => [...root, ...prefix];
  let feed: PrefixFeed | undefined;
  /** By namespace, where what was told of it came from. */
  const origins = new Map<string, bigint | undefined>();
  const tell = (namespace: readonly string[]): void => {
    const key = namespaceKey(namespace);
    const relative = namespace.slice(root.length);
    const best = by.router.routeOf(namespace, by.peer.isMember);
    const origin = best?.route?.hops[0];
    if (best === undefined || leadsTo(best, by.peer)) {
      if (origins.delete(key)) feed?.withdraw(relative);
      return;
    }
    // Another publisher is another announcement (draft-lcurley-moq-cluster, Updating an Advertisement; moq-lite, Routing).
    if (origins.has(key) && origins.get(key) !== origin) feed?.withdraw(relative);
    origins.set(key, origin);
    const { route } = best;
    try {
      feed?.announce(relative, [...(route?.hops ?? [0n]), by.hopId], route && costOf(route));
    } catch (error) {
      // A name that the version of this session cannot say.
      if (!cannotBeSaid(error)) throw error;
      origins.delete(key);
    }
  };
  const watcher: PrefixWatcher<readonly string[]> = {
    prefix: whole(request.prefix),
    maySee: (namespace) => maySeeNamespace(by.grant, namespace),
    appeared: (namespace) => tell(namespace),
    moved: (namespace) => tell(namespace),
    disappeared: (namespace) => tell(namespace),
    failed: (error) => by.fail(error),
  };
  const refusal = refusalToDiscover(by.grant, watcher.prefix) ?? tooMany(by, watcher);
  if (refusal !== undefined) {
    request.reject(refusal.code, refusal.reason);
    return;
  }
  feed = request.accept(hooks(by, watcher, whole, () => by.router.refreshNamespaces(watcher)));
  const stop = by.router.watchNamespaces(watcher);
  await request.cancelled;
  stop();
}

/** SUBSCRIBE_TRACKS: the tracks that others offered and the session may have are offered to it. */
export async function followTracks(request: IncomingPrefix, by: Discoverer): Promise<void> {
  const root = by.grant.root ?? [];
  const whole = (prefix: readonly string[]): string[] => [...root, ...prefix];
  let feed: PrefixFeed | undefined;
  const filtersOf = ({ trackProperties }: OfferedTrack) => filtersWithin(request.rangeFilters, trackProperties);
  const offer = async (offered: OfferedTrack): Promise<void> => {
    const { name } = offered;
    const track = { namespace: name.namespace.slice(root.length), name: name.name };
    const release = by.claim(name);
    if (release === 'full') feed?.blocked(track);
    if (typeof release === 'string') return;
    const { forward } = request;
    const rangeFilters = filtersOf(offered) || undefined;
    try {
      await by.router.forward(name, by, (answer) =>
        by.session.publish(track, { ...answer, forward, ...(rangeFilters !== undefined && { rangeFilters }) }),
      );
    } catch (error) {
      // The session does not want it, or the track is gone: neither is of interest to anybody else.
      if (!(error instanceof StreamsError)) by.fail(error);
      else if (cannotBeSaid(error)) feed?.blocked(track);
    } finally {
      release();
    }
  };
  const watcher: PrefixWatcher<OfferedTrack> = {
    prefix: whole(request.prefix),
    maySee: (offered) =>
      offered.by !== by.session &&
      refusalToSubscribe(by.grant, offered.name) === undefined &&
      filtersOf(offered) !== false,
    appeared: (offered) => void offer(offered),
    disappeared: () => {},
    failed: (error) => by.fail(error),
  };
  const refusal = refusalToDiscover(by.grant, watcher.prefix);
  if (refusal !== undefined) {
    request.reject(refusal.code, refusal.reason);
    return;
  }
  feed = request.accept(hooks(by, watcher, whole, () => by.router.refreshOffers(watcher)));
  const stop = by.router.watchOffers(watcher);
  await request.cancelled;
  stop();
}

function hooks(
  { grant }: Discoverer,
  watcher: { prefix: readonly string[] },
  whole: (prefix: readonly string[]) => string[],
  refresh: () => void,
): PrefixHooks {
  let next = watcher.prefix;
  return {
    retarget(prefix) {
      next = whole(prefix);
      return refusalToDiscover(grant, next);
    },
    retargeted() {
      watcher.prefix = next;
      refresh();
    },
  };
}

function tooMany(
  { grant, router, maxNamespaces }: Discoverer,
  watcher: PrefixWatcher<readonly string[]>,
): Refusal | undefined {
  if (grant.cluster === true) return undefined;
  const { prefix } = watcher;
  const count = router
    .namespaces()
    .filter((each) => prefix.every((field, i) => field === each[i]) && watcher.maySee(each));
  if (count.length <= maxNamespaces) return undefined;
  return { code: requestErrorCodes.namespaceTooLarge, reason: 'too many namespaces are below this prefix' };
}

/** What a request is refused with when upstream refused, or cannot be reached. */
export function refusalOf(error: unknown): Refusal & { retryMs?: number } {
  if (cannotBeSaid(error)) return { code: requestErrorCodes.internalError, reason: error.message };
  if (!(error instanceof RequestError))
    return { code: requestErrorCodes.internalError, reason: 'the publisher is gone' };
  const { requestCode: code, reason, retryMs } = error;
  return { code, reason, ...(retryMs !== undefined && { retryMs }) };
}

import { publishDoneCodes, requestErrorCodes } from '../../codec/moqt/codes.ts';
import { isEmpty, windowOf } from '../../session/filter-window.ts';
import { RequestError } from '../../session/request-error.ts';
import { trackKey } from '../../session/track-key.ts';
import type { IncomingFetch, Publication, SubscribeAnswer, TrackName } from '../../session/types.ts';
import { cannotBeSaid } from '../cannot-be-said.ts';
import type { RelayCounters } from '../counters.ts';
import { answerFetch } from '../fetch/fetch.ts';
import type { RelayLimits } from '../limits.ts';
import type { SessionTally } from '../reports/session-tally.ts';
import { ObjectCache } from '../track/cache.ts';
import { RelayTrack } from '../track/track.ts';
import { type NamespacePublisher, PublisherList, type Tried } from '../upstream/namespace-publisher.ts';
import { isRemote, leadsTo, type Peer, type Route } from '../upstream/route.ts';
import { UpstreamTrack } from '../upstream/upstream-track.ts';
import { Viewer } from '../viewer/viewer.ts';
import type { ViewerSession } from '../viewer/viewer-session.ts';
import { HeldRequests, type RoutedRequest } from './held-requests.ts';
import { LingeringTracks } from './lingering-tracks.ts';
import type { OfferedTrack } from './offered-track.ts';
import { type PrefixWatcher, PrefixWatchers } from './prefix-watchers.ts';
import { answerOf, isWatched, type RoutedTrack as Routed } from './routed-track.ts';
import { TrackOffers } from './track-offers.ts';

/** When a subscriber that found no publisher may ask again. */
const retryMs = 1000;

const nobodyPublishes = 'nobody publishes this namespace';

/** Brings subscribers and publishers together: one upstream subscription a track, however many viewers. */
export class Router {
  readonly cache: ObjectCache;
  readonly #publishers = new PublisherList();
  readonly #offers = new TrackOffers();
  readonly #namespaceWatchers = new PrefixWatchers<readonly string[]>((namespace) => namespace);
  readonly #offerWatchers = new PrefixWatchers<OfferedTrack>(({ name }) => name.namespace);
  readonly #tracks = new Map<string, Routed>();
  readonly #held: HeldRequests;
  readonly #lingering: LingeringTracks;
  readonly #limits: RelayLimits;
  readonly #counters: RelayCounters;
  readonly #now = (): number => performance.now();
  #nextAlias = 1;

  constructor(limits: RelayLimits, counters: RelayCounters) {
    this.#limits = limits;
    this.#counters = counters;
    this.cache = new ObjectCache(limits, this.#now);
    this.#held = new HeldRequests(limits.maxHeldSubscriptions);
    this.#lingering = new LingeringTracks(limits);
  }

  get trackCount(): number {
    return this.#tracks.size;
  }

  get namespaceCount(): number {
    return this.#publishers.size;
  }

  namespaces(): readonly (readonly string[])[] {
    return this.#publishers.namespaces();
  }

  get viewerCount(): number {
    let sum = 0;
    for (const { track } of this.#tracks.values()) sum += track.viewers.size;
    return sum;
  }

  /** A publisher announced itself; it holds until the answer is called. */
  announce(publisher: NamespacePublisher): () => void {
    const { namespace } = publisher;
    const before = this.#publishers.best(namespace);
    const isNew = this.#publishers.add(publisher);
    this.#publishersChanged();
    for (const held of this.#held.take(namespace)) this.subscribe(held);
    if (isNew) this.#namespaceWatchers.appeared(namespace);
    else if (this.#publishers.best(namespace) !== before) this.#namespaceWatchers.moved(namespace);
    return () => {
      const wasBest = this.#publishers.best(namespace) === publisher;
      const isGone = this.#publishers.remove(publisher);
      this.#publishersChanged();
      if (isGone) this.#namespaceWatchers.disappeared(namespace);
      else if (wasBest) this.#namespaceWatchers.moved(namespace);
    };
  }

  /** The announcement of a publisher comes another way now. */
  moved(publisher: NamespacePublisher, route: Route): void {
    const { namespace } = publisher;
    const before = this.#publishers.best(namespace);
    this.#publishers.moved(publisher, route);
    this.#publishersChanged();
    const best = this.#publishers.best(namespace);
    if (best !== before || best === publisher) this.#namespaceWatchers.moved(namespace);
  }

  /**
   * How the namespace is reached; undefined: nobody announces it. `withOffers`: a publisher that only offered tracks in it
   * counts too.
   */
  routeOf(namespace: readonly string[], withOffers = false): NamespacePublisher | undefined {
    const best = this.#publishers.best(namespace);
    if (!withOffers || (best !== undefined && !isRemote(best))) return best;
    return this.#offers.within(namespace)?.publisher ?? best;
  }

  #allNamespaces(): readonly (readonly string[])[] {
    return [...this.#publishers.namespaces(), ...this.#offers.namespaces()];
  }

  /** A publisher offered a track; it holds until it withdraws it. */
  offer(offer: OfferedTrack): void {
    const { name } = offer;
    this.#offers.add(offer);
    this.#publishersChanged();
    for (const held of this.#held.take(name.namespace, name.name)) this.subscribe(held);
    this.#offerWatchers.appeared(offer);
    this.#namespaceWatchers.moved(name.namespace);
    void offer.done.then(() => {
      this.#offers.remove(offer);
      this.#publishersChanged();
      this.#namespaceWatchers.moved(name.namespace);
    });
  }

  /** Tells of namespaces, those there are at once; holds until the answer is called. */
  watchNamespaces(watcher: PrefixWatcher<readonly string[]>): () => void {
    return this.#namespaceWatchers.add(watcher, this.#allNamespaces());
  }

  /** The watcher looks at another prefix now. */
  refreshNamespaces(watcher: PrefixWatcher<readonly string[]>): void {
    this.#namespaceWatchers.refresh(watcher, this.#allNamespaces());
  }

  /** Tells of offered tracks, those there are at once; holds until the answer is called. */
  watchOffers(watcher: PrefixWatcher<OfferedTrack>): () => void {
    return this.#offerWatchers.add(watcher, this.#offers.all());
  }

  refreshOffers(watcher: PrefixWatcher<OfferedTrack>): void {
    this.#offerWatchers.refresh(watcher, this.#offers.all());
  }

  /**
   * What a SUBSCRIBE for the track would be told; asks upstream where it has to, until `cancelled` resolves: then what is known already.
   * Throws what refuses it.
   */
  async status(
    name: TrackName,
    tally: SessionTally,
    cancelled: Promise<void>,
    peer?: Peer,
  ): Promise<Pick<RelayTrack, 'largest' | 'properties'>> {
    const routed = this.#routed(name, peer);
    if (routed === undefined) {
      throw new RequestError(requestErrorCodes.doesNotExist, nobodyPublishes, retryMs);
    }
    await this.#using(routed, tally, () => Promise.race([routed.feed.ready, cancelled]));
    const { largest, properties } = routed.track;
    return { largest, properties };
  }

  /**
   * Offers a track to a session that asked for such (draft-18 SUBSCRIBE_TRACKS). `publish` sends PUBLISH and answers once it is
   * agreed to. Resolves when the subscription is over; rejects with what kept it from coming about.
   */
  async forward(
    name: TrackName,
    session: ViewerSession,
    publish: (offer: SubscribeAnswer) => Promise<Publication>,
  ): Promise<void> {
    const routed = this.#routed(name);
    if (routed === undefined) return;
    const viewer = await this.#using(routed, session.tally, async () => {
      await routed.feed.ready;
      const publication = await publish(answerOf(routed.track, session));
      return this.#view(routed, publication, session);
    });
    await viewer.ended;
  }

  /** Never throws: what goes wrong ends the session that asks. */
  subscribe(request: RoutedRequest): void {
    this.#subscribe(request).catch((error) => request.session.fail(error));
  }

  async #subscribe(request: RoutedRequest): Promise<void> {
    const { track, terms } = request.request;
    const routed = this.#routed(track, request.peer, terms.newGroupRequest);
    if (routed === undefined) this.#hold(request);
    // Who comes when the publisher has ended the track has not seen it: the publisher may have another by the same name.
    else if (routed.feed.ending !== undefined) await routed.feed.ending.then(() => this.subscribe(request));
    else await this.#join(routed, request);
  }

  /** Resolves when it is over. Throws what the session throws for an answer that it cannot say. */
  async fetch(request: IncomingFetch, tally: SessionTally, peer?: Peer): Promise<void> {
    const known = this.#tracks.get(trackKey(request.track));
    if (known !== undefined) {
      try {
        await Promise.race([known.feed.ready, request.cancelled]);
      } catch {
        // Refused as a subscription; what was published may be had all the same.
      }
    }
    await answerFetch(request, {
      track: known?.track,
      find: () => this.#findFor(request.track, peer),
      maxFillMs: this.#limits.maxFillMs,
      tally,
    });
  }

  /** Nobody who waits for a publisher waits for it here. */
  drain(): void {
    this.#held.rejectAll(requestErrorCodes.goingAway, 'the relay is going away');
  }

  /** Ends every subscription, up and down. */
  close(): void {
    this.#held.rejectAll(requestErrorCodes.goingAway, 'the relay is shutting down');
    for (const [key, routed] of [...this.#tracks]) {
      for (const viewer of [...routed.track.viewers]) {
        viewer.cut(publishDoneCodes.goingAway, 'the relay is shutting down');
      }
      routed.over ??= { status: publishDoneCodes.goingAway, reason: 'the relay is shutting down' };
      this.#forget(key, routed);
    }
  }

  #hold(routed: RoutedRequest): void {
    const { request } = routed;
    const holdMs = Math.min(request.rendezvousMs, this.#limits.maxRendezvousMs);
    const reason = nobodyPublishes;
    if (holdMs <= 0) {
      request.reject(requestErrorCodes.doesNotExist, reason, retryMs);
      routed.over();
    } else if (!this.#held.add(routed, holdMs, reason, retryMs)) {
      request.reject(requestErrorCodes.excessiveLoad, 'too many subscriptions wait for a publisher', retryMs);
      routed.over();
    }
  }

  #find(track: TrackName, tried?: Tried): NamespacePublisher | undefined {
    return this.#offers.find(track, tried)?.publisher ?? this.#publishers.find(track.namespace, tried);
  }

  /** The track, taken up if need be; undefined: nobody publishes it. */
  #routed(name: TrackName, peer?: Peer, newGroup?: number): Routed | undefined {
    const best = this.#find(name);
    if (best === undefined) return undefined;
    const known = this.#tracks.get(trackKey(name));
    // What comes from there is not served there.
    if (peer !== undefined && leadsTo(known?.feed.publisher ?? best, peer)) return undefined;
    return known ?? this.#open(name, newGroup);
  }

  #findFor(track: TrackName, peer: Peer | undefined): NamespacePublisher | undefined {
    const found = this.#find(track);
    return found !== undefined && peer !== undefined && leadsTo(found, peer) ? undefined : found;
  }

  #open(track: TrackName, newGroup: number | undefined): Routed {
    const key = trackKey(track);
    const name = { namespace: [...track.namespace], name: track.name };
    const context = { limits: this.#limits, counters: this.#counters, now: this.#now };
    const relayed = new RelayTrack(name, this.#nextAlias++, this.cache, context);
    const feed = new UpstreamTrack(relayed, {
      publisherLingerMs: this.#limits.publisherLingerMs,
      find: (tried) => this.#find(name, tried),
      holds: (publisher) => this.#publishers.has(publisher),
      mayStay: () => routed.members === 0,
      isWatched: () => isWatched(routed),
      ended: (status, reason) => {
        routed.over = { status, reason };
        for (const viewer of [...relayed.viewers]) viewer.end(status, reason);
        this.#forget(key, routed);
      },
    });
    const routed: Routed = { track: relayed, feed, pending: 0, members: 0 };
    this.#tracks.set(key, routed);
    if (newGroup !== undefined) relayed.newGroups.ask(newGroup, undefined);
    feed.publishersChanged();
    return routed;
  }

  /** Keeps the track while `use` runs. */
  async #using<T>(routed: Routed, by: SessionTally, use: () => Promise<T>): Promise<T> {
    this.#lingering.end(routed.track);
    routed.pending++;
    try {
      return await use();
    } finally {
      routed.pending--;
      this.#idleIfUnwatched(routed, by);
    }
  }

  async #join(routed: Routed, routedRequest: RoutedRequest): Promise<void> {
    const { request, over } = routedRequest;
    this.#lingering.end(routed.track);
    routed.pending++;
    let cancelled = false;
    void request.cancelled.then(() => {
      cancelled = true;
    });
    let refusal: unknown;
    try {
      await Promise.race([routed.feed.ready, request.cancelled]);
    } catch (error) {
      refusal = error;
    }
    routed.pending--;
    if (cancelled) over();
    else if (refusal === undefined) this.#accept(routed, routedRequest);
    else if (refusal instanceof RequestError) {
      request.reject(refusal.requestCode, refusal.reason, refusal.retryMs);
      over();
    } else this.#hold(routedRequest); // The publisher vanished before it answered.
    this.#idleIfUnwatched(routed, routedRequest.session.tally);
  }

  #accept(routed: Routed, { request, session, peer, over }: RoutedRequest): void {
    const { track } = routed;
    const { largest } = track;
    if (request.outlivesRange !== true && isEmpty(windowOf(request.filter, largest), largest)) {
      request.reject(requestErrorCodes.invalidRange, 'the whole range is in the past');
      over();
      return;
    }
    // Streams of a subscription that a relay left must not be taken for those of its next.
    const alias = peer?.isMember ? this.#nextAlias++ : track.alias;
    let publication: Publication;
    try {
      publication = request.accept({ ...answerOf(track, session), alias });
    } catch (error) {
      // The answer cannot be said in this session. From here on only the publication can end it.
      if (!cannotBeSaid(error)) throw error;
      request.reject(requestErrorCodes.internalError, error.message);
      over();
      return;
    }
    const viewer = this.#view(routed, publication, session);
    if (peer?.isMember) this.#serveMember(routed, viewer);
    void viewer.ended.then(over);
  }

  /** A track that goes on to other relays takes the way that is announced to them, else each could wait for the next in a ring. */
  #serveMember(routed: Routed, viewer: Viewer): void {
    routed.members++;
    void viewer.ended.then(() => {
      routed.members--;
    });
    routed.feed.publishersChanged();
  }

  #view(routed: Routed, publication: Publication, session: ViewerSession): Viewer {
    const { track } = routed;
    const context = { limits: this.#limits, counters: this.#counters, now: this.#now };
    const viewer = new Viewer(publication, track, session, context);
    void viewer.ended.then(() => {
      track.viewers.delete(viewer);
      this.#idleIfUnwatched(routed, session.tally);
    });
    // The track may have ended while the session made up its mind about it, or between an answer from upstream and this one.
    if (routed.over === undefined) track.join(viewer);
    else viewer.end(routed.over.status, routed.over.reason);
    return viewer;
  }

  /** `by`: who left it. */
  #idleIfUnwatched(routed: Routed, by: SessionTally): void {
    if (isWatched(routed)) return;
    const key = trackKey(routed.track.name);
    if (this.#tracks.get(key) === routed) this.#lingering.begin(routed.track, by, () => this.#forget(key, routed));
  }

  #forget(key: string, routed: Routed): void {
    this.#lingering.end(routed.track);
    routed.feed.stop();
    if (this.#tracks.get(key) === routed) this.#tracks.delete(key);
    // Viewers that still drain hold on to what they need.
    if (routed.track.viewers.size === 0) routed.track.dispose();
    else void Promise.all([...routed.track.viewers].map((viewer) => viewer.ended)).then(() => routed.track.dispose());
  }

  #publishersChanged(): void {
    for (const { feed } of [...this.#tracks.values()]) feed.publishersChanged();
  }
}

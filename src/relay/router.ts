import { publishDoneCodes, requestErrorCodes } from '../codec/moqt/codes.ts';
import { toStreamsError } from '../core/errors.ts';
import { RequestError } from '../session/request-error.ts';
import type { IncomingFetch, IncomingSubscribe, TrackName } from '../session/types.ts';
import { ObjectCache } from './cache.ts';
import type { RelayCounters } from './counters.ts';
import { TrackFeed } from './feed.ts';
import { answerFetch } from './fetch.ts';
import { HeldRequests } from './held-requests.ts';
import type { RelayLimits } from './limits.ts';
import { namespaceKey, type Publisher, PublisherList } from './publisher.ts';
import type { RoutedRequest } from './routed-request.ts';
import { windowOf } from './start-location.ts';
import { RelayTrack } from './track.ts';
import { Viewer } from './viewer.ts';

/** When a subscriber that found no publisher may ask again. */
const retryMs = 1000;

type Routed = {
  readonly track: RelayTrack;
  readonly feed: TrackFeed;
  /** Requests waiting for the first answer from upstream. */
  pending: number;
  idleTimer: NodeJS.Timeout | undefined;
};

/** Brings subscribers and publishers together: one upstream subscription a track, however many viewers. */
export class Router {
  readonly cache: ObjectCache;
  readonly #publishers = new PublisherList();
  readonly #tracks = new Map<string, Routed>();
  readonly #held: HeldRequests;
  readonly #limits: RelayLimits;
  readonly #counters: RelayCounters;
  readonly #now = (): number => performance.now();
  #nextAlias = 1;

  constructor(limits: RelayLimits, counters: RelayCounters) {
    this.#limits = limits;
    this.#counters = counters;
    this.cache = new ObjectCache(limits, this.#now);
    this.#held = new HeldRequests(limits.maxHeldSubscriptions);
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
  announce(publisher: Publisher): () => void {
    this.#publishers.add(publisher);
    this.#publishersChanged();
    for (const held of this.#held.take(publisher.namespace)) this.subscribe(held);
    return () => {
      this.#publishers.remove(publisher);
      this.#publishersChanged();
    };
  }

  subscribe(routed: RoutedRequest): void {
    const { request } = routed;
    const known = this.#tracks.get(trackKey(request));
    if (known !== undefined && this.#publishers.find(request.track.namespace) !== undefined) {
      void this.#join(known, routed);
    } else if (this.#publishers.find(request.track.namespace) !== undefined) {
      void this.#join(this.#open(request), routed);
    } else {
      this.#hold(routed);
    }
  }

  /** Resolves when it is over; never rejects. */
  async fetch(request: IncomingFetch): Promise<void> {
    const known = this.#tracks.get(trackKey(request));
    if (known !== undefined) {
      try {
        await Promise.race([known.feed.established, request.cancelled]);
      } catch {
        // Refused as a subscription; what was published may be had all the same.
      }
    }
    await answerFetch(request, {
      track: known?.track,
      find: () => this.#publishers.find(request.track.namespace),
      maxFillMs: this.#limits.maxFillMs,
    });
  }

  /** Ends every subscription, up and down. */
  close(): void {
    this.#held.rejectAll(requestErrorCodes.goingAway, 'the relay is shutting down');
    for (const [key, routed] of [...this.#tracks]) {
      for (const viewer of [...routed.track.viewers]) {
        viewer.cut(publishDoneCodes.goingAway, 'the relay is shutting down');
      }
      this.#forget(key, routed);
    }
  }

  #hold(routed: RoutedRequest): void {
    const { request } = routed;
    const holdMs = Math.min(request.rendezvousMs, this.#limits.maxRendezvousMs);
    const reason = 'nobody publishes this namespace';
    if (holdMs <= 0) {
      request.reject(requestErrorCodes.doesNotExist, reason, retryMs);
      routed.over();
    } else if (!this.#held.add(routed, holdMs, reason, retryMs)) {
      request.reject(requestErrorCodes.excessiveLoad, 'too many subscriptions wait for a publisher', retryMs);
      routed.over();
    }
  }

  #open(request: IncomingSubscribe): Routed {
    const key = trackKey(request);
    const name = { namespace: [...request.track.namespace], name: request.track.name };
    const context = { limits: this.#limits, counters: this.#counters, now: this.#now };
    const track = new RelayTrack(name, this.#nextAlias++, this.cache, context);
    const feed = new TrackFeed(track, {
      publisherLingerMs: this.#limits.publisherLingerMs,
      find: () => this.#publishers.find(name.namespace),
      ended: (status, reason) => {
        for (const viewer of [...track.viewers]) viewer.end(status, reason);
        this.#forget(key, routed);
      },
    });
    const routed: Routed = { track, feed, pending: 0, idleTimer: undefined };
    this.#tracks.set(key, routed);
    feed.publishersChanged();
    return routed;
  }

  async #join(routed: Routed, routedRequest: RoutedRequest): Promise<void> {
    const { request, over } = routedRequest;
    clearTimeout(routed.idleTimer);
    routed.pending++;
    let cancelled = false;
    void request.cancelled.then(() => {
      cancelled = true;
    });
    let refusal: unknown;
    try {
      await Promise.race([routed.feed.established, request.cancelled]);
    } catch (error) {
      refusal = error;
    }
    routed.pending--;
    if (cancelled) over();
    else if (refusal === undefined) this.#acceptSafely(routed, routedRequest);
    else if (refusal instanceof RequestError) {
      request.reject(refusal.requestCode, refusal.reason, refusal.retryMs);
      over();
    } else this.#hold(routedRequest); // The publisher vanished before it answered.
    this.#idleIfUnwatched(routed);
  }

  /** One session that cannot take it must not end the process. */
  #acceptSafely(routed: Routed, routedRequest: RoutedRequest): void {
    try {
      this.#accept(routed, routedRequest);
    } catch (error) {
      routedRequest.request.reject(requestErrorCodes.internalError, toStreamsError(error).message);
      routedRequest.over();
    }
  }

  #accept(routed: Routed, { request, dialect, over }: RoutedRequest): void {
    const { track } = routed;
    const { largest } = track;
    const window = windowOf(request.filter, largest);
    if (window.endGroup < window.start.group || (largest !== undefined && window.endGroup < largest.group)) {
      request.reject(requestErrorCodes.invalidRange, 'the whole range is in the past');
      over();
      return;
    }
    const publication = request.accept({
      alias: track.alias,
      trackProperties: track.properties,
      ...(largest !== undefined && { largest }),
    });
    const context = { limits: this.#limits, counters: this.#counters, now: this.#now };
    const viewer = new Viewer(publication, { dialect, window, forward: request.forward }, context);
    void viewer.ended.then(() => {
      track.viewers.delete(viewer);
      this.#idleIfUnwatched(routed);
      over();
    });
    track.join(viewer);
  }

  #idleIfUnwatched(routed: Routed): void {
    if (routed.track.viewers.size > 0 || routed.pending > 0) return;
    const key = namespaceKey([...routed.track.name.namespace, routed.track.name.name]);
    if (this.#tracks.get(key) !== routed) return;
    clearTimeout(routed.idleTimer);
    routed.idleTimer = setTimeout(() => this.#forget(key, routed), this.#limits.subscriptionLingerMs);
  }

  #forget(key: string, routed: Routed): void {
    clearTimeout(routed.idleTimer);
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

function trackKey(request: { readonly track: TrackName }): string {
  return namespaceKey([...request.track.namespace, request.track.name]);
}

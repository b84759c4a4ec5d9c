import { publishDoneCodes } from '../codec/moqt/codes.ts';
import { type Deferred, deferred } from '../core/deferred.ts';
import { StreamsError } from '../core/errors.ts';
import type { Subscription, SubscriptionEnd } from '../session/types.ts';
import { isRemote } from './cluster/route.ts';
import type { Publisher } from './publisher.ts';
import type { RelayTrack } from './track.ts';
import { UpstreamReader } from './upstream-reader.ts';

export type FeedOptions = {
  readonly publisherLingerMs: number;
  /** The publisher to use now. */
  find(): Publisher | undefined;
  /** It is announced. */
  holds(publisher: Publisher): boolean;
  /** A way through the cluster may be kept though there is a better one now. */
  mayStay(): boolean;
  /** The track is over; called once, never after `stop`. */
  ended(status: number, reason: string): void;
};

/** How soon a publisher that is back, but does not have the track yet, is asked again. */
const retryMs = 200;
/** How long the streams of an ended subscription may take to arrive. */
const lateStreamsMs = 5000;

type Attempt = { publisher: Publisher; readonly abort: AbortController };
type Current = { publisher: Publisher; readonly subscription: Subscription; readonly reader: UpstreamReader };

/**
 * The one upstream subscription of a track. It moves to a newer publisher when one appears, and outlives a publisher that
 * vanishes and comes back within the linger time.
 */
export class TrackFeed {
  /** Settles with the first answer of a publisher; rejects with its refusal. */
  readonly established: Promise<void>;
  readonly #established: Deferred<void> = deferred();
  readonly #track: RelayTrack;
  readonly #options: FeedOptions;
  readonly #stop = new AbortController();
  #isEstablished = false;
  #current: Current | undefined;
  #attempting: Attempt | undefined;
  /** Of what the track keeps. */
  #origin: bigint | undefined;
  #lingerTimer: NodeJS.Timeout | undefined;
  #retryTimer: NodeJS.Timeout | undefined;

  constructor(track: RelayTrack, options: FeedOptions) {
    this.#track = track;
    this.#options = options;
    this.established = this.#established.promise;
    this.established.catch(() => {});
  }

  /** The one that is read, or asked. */
  get publisher(): Publisher | undefined {
    return this.#current?.publisher ?? this.#attempting?.publisher;
  }

  /** Call whenever publishers came or went. */
  publishersChanged(): void {
    if (this.#stop.signal.aborted) return;
    const publisher = this.#options.find();
    this.#recheckAttempt(publisher);
    if (this.#current !== undefined && isRemote(this.#current.publisher) && this.#keeps(this.#current, publisher)) {
      return;
    }
    if (publisher === this.#current?.publisher || publisher === this.#attempting?.publisher) return;
    if (publisher === undefined) {
      if (!this.#isEstablished && this.#attempting === undefined)
        this.#end(publishDoneCodes.trackEnded, 'no publisher');
      return;
    }
    void this.#attempt(publisher);
  }

  #recheckAttempt(best: Publisher | undefined): void {
    const attempt = this.#attempting;
    if (attempt === undefined || !this.#isWithdrawn(attempt.publisher)) return;
    // Withdrawn and announced again: the question is asked already.
    if (best?.session === attempt.publisher.session) attempt.publisher = best;
    else this.#abandon();
  }

  #abandon(): void {
    this.#attempting?.abort.abort();
    this.#attempting = undefined;
  }

  /** Whether to go on with what comes from another relay, `best` being the publisher to use now. */
  #keeps(current: Current, best: Publisher | undefined): boolean {
    if (!this.#isWithdrawn(current.publisher)) {
      if (best === undefined || best === current.publisher || !isRemote(best) || !this.#options.mayStay()) return false;
      this.#abandon();
      return true;
    }
    if (best?.session === current.publisher.session) {
      // Withdrawn and announced again: the subscription never ended.
      current.publisher = best;
      this.#abandon();
      clearTimeout(this.#lingerTimer);
      this.#lingerTimer = undefined;
      return true;
    }
    // Without an end a ring of relays could keep each other waiting for ever.
    if (best === undefined) this.#linger();
    return best === undefined;
  }

  #isWithdrawn(publisher: Publisher): boolean {
    return isRemote(publisher) && !this.#options.holds(publisher);
  }

  #linger(): void {
    this.#lingerTimer ??= setTimeout(
      () => this.#end(publishDoneCodes.trackEnded, 'the publisher is gone'),
      this.#options.publisherLingerMs,
    );
  }

  /** No more interest. */
  stop(): void {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    this.#abandon();
    clearTimeout(this.#lingerTimer);
    clearTimeout(this.#retryTimer);
    this.#current?.reader.stop();
    this.#current = undefined;
    this.#track.newGroups.connect(undefined);
    this.#established.reject(new StreamsError('INTERRUPTED', 'the relay gave the track up'));
  }

  async #attempt(publisher: Publisher): Promise<void> {
    clearTimeout(this.#retryTimer);
    this.#abandon();
    const attempt: Attempt = { publisher, abort: new AbortController() };
    this.#attempting = attempt;
    const newGroupRequest = this.#track.newGroups.takeWaiting();
    let subscription: Subscription;
    try {
      subscription = await publisher.session.subscribe(this.#track.name, {
        filter: { type: 'unfiltered' },
        signal: attempt.abort.signal,
        ...(newGroupRequest !== undefined && { newGroupRequest }),
      });
    } catch (error) {
      if (this.#attempting === attempt) this.#refused(error);
      return;
    }
    if (this.#stop.signal.aborted || this.#attempting !== attempt) {
      subscription.unsubscribe();
      return;
    }
    this.#attempting = undefined;
    this.#adopt(attempt.publisher, subscription);
  }

  #adopt(publisher: Publisher, subscription: Subscription): void {
    clearTimeout(this.#lingerTimer);
    this.#lingerTimer = undefined;
    const previous = this.#current;
    previous?.reader.stop();
    if (isAnother(publisher.origin, this.#origin)) this.#track.startOver();
    const isSame = publisher.origin !== undefined && publisher.origin === this.#origin;
    this.#origin = publisher.origin;
    const { largest, trackProperties: properties } = subscription;
    this.#track.sourceChanged({ largest, properties, dialect: publisher.dialect, isSame });
    const current: Current = {
      publisher,
      subscription,
      reader: new UpstreamReader(this.#track, subscription, publisher),
    };
    this.#current = current;
    const { dynamicGroups } = publisher.dialect.readTrackProperties(subscription.trackProperties);
    this.#track.newGroups.connect((newGroupRequest) => {
      // The answer says no more than the new group does.
      if (dynamicGroups) subscription.update({ newGroupRequest }).catch(() => {});
    });
    this.#isEstablished = true;
    this.#established.resolve();
    void subscription.done.then((end) => this.#lost(current, end));
  }

  #refused(error: unknown): void {
    this.#attempting = undefined;
    if (this.#stop.signal.aborted) return;
    if (!this.#isEstablished) {
      this.#established.reject(error);
      this.#end(publishDoneCodes.trackEnded, 'refused by the publisher');
    } else if (this.#current === undefined) {
      this.#retryTimer = setTimeout(() => this.publishersChanged(), retryMs);
    }
  }

  async #lost(current: Current, end: SubscriptionEnd): Promise<void> {
    if (this.#current !== current || this.#stop.signal.aborted) return;
    if (end.by === 'publisher') {
      // PUBLISH_DONE overtakes the last objects.
      await Promise.race([current.reader.done, new Promise((resolve) => setTimeout(resolve, lateStreamsMs).unref())]);
      if (this.#current !== current || this.#stop.signal.aborted) return;
    }
    this.#current = undefined;
    this.#track.newGroups.connect(undefined);
    const next = this.#options.find();
    const saidSo = end.by === 'publisher' && end.status === publishDoneCodes.trackEnded;
    if (saidSo && (next === undefined || next === current.publisher)) {
      this.#end(end.status, end.reason);
      return;
    }
    this.#linger();
    // A session that died may still be listed; its removal, or the retry, finds the other one.
    if (next === current.publisher) this.#retryTimer = setTimeout(() => this.publishersChanged(), retryMs);
    else this.publishersChanged();
  }

  #end(status: number, reason: string): void {
    if (this.#stop.signal.aborted) return;
    this.stop();
    this.#options.ended(status, reason);
  }
}

/** Both are known, and are not the same. */
function isAnother(a: bigint | undefined, b: bigint | undefined): boolean {
  return a !== undefined && b !== undefined && a !== b;
}

import { publishDoneCodes, requestErrorCodes } from '../../codec/moqt/codes.ts';
import { type Deferred, deferred } from '../../core/deferred.ts';
import { StreamsError } from '../../core/errors.ts';
import { RequestError } from '../../session/request-error.ts';
import type { Subscription, SubscriptionEnd } from '../../session/types.ts';
import type { RelayTrack } from '../track/track.ts';
import type { NamespacePublisher, Tried } from './namespace-publisher.ts';
import { isRemote } from './route.ts';
import { contentOf, type Source, sourceOf } from './source.ts';
import { UpstreamReader } from './upstream-reader.ts';

export type UpstreamTrackOptions = {
  readonly publisherLingerMs: number;
  /** The publisher to use now, other than those that were tried. */
  find(tried: Tried): NamespacePublisher | undefined;
  /** It is announced. */
  holds(publisher: NamespacePublisher): boolean;
  /** A way through the cluster may be kept though there is a better one now. */
  mayStay(): boolean;
  /** Somebody has the track, or waits for it. */
  isWatched(): boolean;
  /** The track is over; called once, never after `stop`. */
  ended(status: number, reason: string): void;
};

/** How soon a publisher that is back, but does not have the track yet, is asked again. */
const retryMs = 200;
/** How long a publisher may take to answer: where another one may have the track, and where there is none. */
const answerMs = { withOthers: 3000, alone: 10_000 };
/** When a subscriber may ask again whom no publisher has answered. */
const askAgainMs = 1000;
/** How long the streams of an ended subscription may take to arrive. */
const lateStreamsMs = 5000;
/** How long newcomers wait to see whether a publisher that takes over goes on or starts anew. */
const decisionMs = 1000;

type Attempt = { publisher: NamespacePublisher; readonly abort: AbortController };
type Current = { publisher: NamespacePublisher; readonly subscription: Subscription; readonly reader: UpstreamReader };

/**
 * The one upstream subscription of a track. It moves to a newer publisher when one appears, and outlives a publisher that
 * vanishes and comes back within the linger time.
 */
export class UpstreamTrack {
  #ready = pending();
  #isReady = false;
  #readyTimer: NodeJS.Timeout | undefined;
  readonly #track: RelayTrack;
  readonly #options: UpstreamTrackOptions;
  readonly #stop = new AbortController();
  #isEstablished = false;
  #current: Current | undefined;
  #attempting: Attempt | undefined;
  /** They refused the track, or did not answer; until the subscription is lost, or they announce themselves anew. */
  #tried = new WeakSet<NamespacePublisher>();
  /** The first word of those. */
  #refusal: RequestError | undefined;
  /** Of what the track keeps. */
  #source: Source | undefined;
  /** How the subscription before ended, if the publisher ended it, but another is asked for the track. */
  #ended: SubscriptionEnd | undefined;
  #ending: Promise<void> | undefined;
  #lingerTimer: NodeJS.Timeout | undefined;
  #retryTimer: NodeJS.Timeout | undefined;

  constructor(track: RelayTrack, options: UpstreamTrackOptions) {
    this.#track = track;
    this.#options = options;
  }

  /**
   * Settles when it is known what there is: with the first answer of a publisher, and of each that takes over; rejects with
   * the refusal of the first.
   */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** The publisher has ended the track, and its last objects are awaited. Resolves when it is over, or goes on with another publisher. */
  get ending(): Promise<void> | undefined {
    return this.#ending;
  }

  /** The one that is read, or asked. */
  get publisher(): NamespacePublisher | undefined {
    return this.#current?.publisher ?? this.#attempting?.publisher;
  }

  /** Call whenever publishers came or went. */
  publishersChanged(): void {
    if (this.#stop.signal.aborted) return;
    const publisher = this.#options.find(this.#tried);
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
    // What is kept for those who come back soon is of another publisher.
    if (this.#isEstablished && !this.#options.isWatched()) this.#end(publishDoneCodes.trackEnded, 'nobody watches');
    else void this.#attempt(publisher);
  }

  #recheckAttempt(best: NamespacePublisher | undefined): void {
    const attempt = this.#attempting;
    if (attempt === undefined || !this.#isWithdrawn(attempt.publisher)) return;
    // Withdrawn and announced again: the question is asked already.
    if (best?.session === attempt.publisher.session) attempt.publisher = best;
    else this.#abandon();
  }

  #abandon(): void {
    this.#attempting?.abort.abort();
    this.#attempting = undefined;
    if (this.#current !== undefined && !this.#track.isUndecided) this.#sure();
  }

  /** Newcomers wait from now on; not for long if there is something that they could have. */
  #unsure(): void {
    clearTimeout(this.#readyTimer);
    if (this.#isReady) this.#ready = pending();
    this.#isReady = false;
    if (this.#current !== undefined) this.#readyTimer = setTimeout(() => this.#sure(), decisionMs);
  }

  #sure(): void {
    clearTimeout(this.#readyTimer);
    this.#isReady = true;
    this.#ready.resolve();
  }

  /** Whether to go on with what comes from another relay, `best` being the publisher to use now. */
  #keeps(current: Current, best: NamespacePublisher | undefined): boolean {
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

  #isWithdrawn(publisher: NamespacePublisher): boolean {
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
    this.#ready.reject(new StreamsError('INTERRUPTED', 'the relay gave the track up'));
    this.#abandon();
    clearTimeout(this.#lingerTimer);
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#readyTimer);
    this.#current?.reader.stop();
    this.#current = undefined;
    this.#track.newGroups.connect(undefined);
  }

  async #attempt(publisher: NamespacePublisher): Promise<void> {
    clearTimeout(this.#retryTimer);
    this.#attempting?.abort.abort();
    const attempt: Attempt = { publisher, abort: new AbortController() };
    this.#attempting = attempt;
    this.#unsure();
    const silence = setTimeout(() => this.#silent(attempt), this.#answerMs(publisher));
    const newGroupRequest = this.#track.newGroups.takeWaiting();
    let subscription: Subscription;
    try {
      subscription = await publisher.session.subscribe(this.#track.name, {
        filter: { type: 'unfiltered' },
        // On a line that is too slow what is live goes before what is late.
        groupOrder: 'descending',
        signal: attempt.abort.signal,
        ...(newGroupRequest !== undefined && { newGroupRequest }),
      });
    } catch (error) {
      if (this.#attempting === attempt) this.#refused(error, attempt.publisher);
      return;
    } finally {
      clearTimeout(silence);
    }
    if (this.#stop.signal.aborted || this.#attempting !== attempt) {
      subscription.unsubscribe();
      return;
    }
    this.#attempting = undefined;
    this.#adopt(attempt.publisher, subscription);
  }

  #adopt(publisher: NamespacePublisher, subscription: Subscription): void {
    clearTimeout(this.#lingerTimer);
    this.#lingerTimer = undefined;
    const previous = this.#current;
    previous?.reader.stop();
    const source = sourceOf(publisher);
    const { malformedTrack } = publishDoneCodes;
    const content = this.#ended?.status === malformedTrack ? 'other' : contentOf(source, this.#source);
    this.#ended = undefined;
    this.#refusal = undefined;
    this.#source = source;
    this.#track.sourceChanged(subscription, publisher.dialect, content);
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
    this.#unsure();
    this.#isEstablished = true;
    void this.#track.decided.then(() => {
      if (this.#current === current && this.#attempting === undefined) this.#sure();
    });
    void subscription.done.then((end) => this.#lost(current, end));
  }

  #answerMs(publisher: NamespacePublisher): number {
    const tried = { has: (each: NamespacePublisher) => each === publisher || this.#tried.has(each) };
    return this.#options.find(tried) === undefined ? answerMs.alone : answerMs.withOthers;
  }

  #silent(attempt: Attempt): void {
    if (this.#attempting !== attempt) return;
    attempt.abort.abort();
    const { timeout } = requestErrorCodes;
    this.#refused(new RequestError(timeout, 'the publisher does not answer', askAgainMs), attempt.publisher);
  }

  /** draft-18 8.5: all publishers of a namespace are asked, one after the other, until one has the track. */
  #refused(error: unknown, publisher: NamespacePublisher): void {
    this.#attempting = undefined;
    if (this.#stop.signal.aborted) return;
    this.#tried.add(publisher);
    if (error instanceof RequestError) this.#refusal ??= error;
    const next = this.#options.find(this.#tried);
    if (!this.#isEstablished) {
      if (next !== undefined) {
        void this.#attempt(next);
        return;
      }
      this.#ready.reject(this.#refusal ?? error);
      this.#end(publishDoneCodes.trackEnded, 'refused by the publisher');
    } else if (this.#current !== undefined) this.#sure();
    else if (isRemote(publisher) && this.#ended?.status === publishDoneCodes.trackEnded) {
      this.#end(this.#ended.status, this.#ended.reason);
    } else if (next !== undefined) void this.#attempt(next);
    else this.#retrySoon();
  }

  #retrySoon(): void {
    this.#retryTimer = setTimeout(() => {
      this.#tried = new WeakSet();
      this.publishersChanged();
    }, retryMs);
  }

  async #lost(current: Current, end: SubscriptionEnd): Promise<void> {
    if (this.#current !== current || this.#stop.signal.aborted) return;
    const { malformedTrack, trackEnded } = publishDoneCodes;
    const isBroken = end.by === 'publisher' && end.status === malformedTrack && isRemote(current.publisher);
    if (isBroken) current.reader.stop();
    else if (end.by === 'publisher') {
      // PUBLISH_DONE overtakes the last objects.
      const last = Promise.race([
        current.reader.done,
        new Promise<void>((resolve) => setTimeout(resolve, lateStreamsMs).unref()),
      ]);
      if (end.status === trackEnded) this.#ending = last;
      await last;
      this.#ending = undefined;
      if (this.#current !== current || this.#stop.signal.aborted) return;
    }
    this.#current = undefined;
    this.#unsure();
    this.#track.newGroups.connect(undefined);
    this.#tried = new WeakSet();
    const next = this.#options.find(this.#tried);
    const isEnd = end.by === 'publisher' && end.status === trackEnded;
    const isReplaced = next !== undefined && this.#isAnother(next, current.publisher);
    if (isEnd && !isReplaced) {
      this.#end(end.status, end.reason);
      return;
    }
    if (isBroken || isEnd) this.#ended = end;
    this.#linger();
    // A session that died may still be listed; its removal, or the retry, finds the other one.
    if (next === current.publisher) this.#retrySoon();
    else this.publishersChanged();
  }

  /** Over a link the same announcement may have become that of another publisher. */
  #isAnother(next: NamespacePublisher, before: NamespacePublisher): boolean {
    return isRemote(next) ? sourceOf(next).hop !== this.#source?.hop : next !== before;
  }

  #end(status: number, reason: string): void {
    if (this.#stop.signal.aborted) return;
    this.stop();
    this.#options.ended(status, reason);
  }
}

/** Settled or not: nobody may be listening. */
function pending(): Deferred<void> {
  const ready = deferred<void>();
  ready.promise.catch(() => {});
  return ready;
}

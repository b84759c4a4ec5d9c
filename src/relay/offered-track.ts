import { publishDoneCodes, streamResetCodes } from '../codec/moqt/codes.ts';
import type { Dialect } from '../codec/moqt/dialect.ts';
import { type Deferred, deferred } from '../core/deferred.ts';
import { StreamsError } from '../core/errors.ts';
import type {
  IncomingPublish,
  IncomingSubgroup,
  Location,
  Session,
  Subscription,
  SubscriptionEnd,
  SubscriptionTerms,
  TrackName,
  UpdateAnswer,
} from '../session/types.ts';
import type { Publisher } from './publisher.ts';

/**
 * A track that a publisher offered with PUBLISH (draft-18 10.10). The subscription lasts as long as the publisher likes; the
 * relay lets objects flow only while somebody watches (Forward State 1).
 */
export class OfferedTrack {
  readonly name: TrackName;
  readonly publisher: Publisher;
  /** The session that offered it. */
  readonly by: Session;
  readonly #subscription: Subscription;
  #turn: Turn | undefined;

  /** Takes the offer, its objects not wanted yet. `name`: whole. */
  constructor(
    name: TrackName,
    offer: IncomingPublish,
    by: { session: Session; dialect: Dialect; fetch: Session['fetch'] },
  ) {
    this.name = name;
    this.by = by.session;
    this.#subscription = offer.accept({ forward: false });
    this.publisher = {
      dialect: by.dialect,
      namespace: name.namespace,
      session: {
        subscribe: () => this.#take(),
        fetch: (target, options) => by.fetch(target, options),
      },
    };
    void this.#pump();
  }

  /** Settles when the publisher ended it, or its session did. */
  get done(): Promise<SubscriptionEnd> {
    return this.#subscription.done;
  }

  withdraw(): void {
    this.#subscription.unsubscribe();
  }

  async #take(): Promise<Subscription> {
    if (this.#turn !== undefined) throw new StreamsError('CONFLICT', 'the track is being read already');
    const turn = new Turn(this.#subscription, (ended) => {
      if (this.#turn !== ended) return;
      this.#turn = undefined;
      this.#subscription.update({ forward: false }).catch(() => {});
    });
    this.#turn = turn;
    try {
      const { largest } = await this.#subscription.update({ forward: true });
      turn.largest = largest ?? turn.largest;
    } catch (error) {
      this.#turn = undefined;
      throw error;
    }
    return turn;
  }

  async #pump(): Promise<void> {
    for (;;) {
      const subgroup = await this.#subscription.nextSubgroup();
      if (subgroup === null) break;
      if (this.#turn === undefined) subgroup.stop(streamResetCodes.cancelled);
      else this.#turn.deliver(subgroup);
    }
    this.#turn?.finish();
    void this.#subscription.done.then((end) => this.#turn?.end(end));
  }
}

/** The time in which the objects of the offered track are wanted: a subscription that the relay can leave and take up again. */
class Turn implements Subscription {
  largest: Location | undefined;
  readonly #of: Subscription;
  readonly #left: (turn: Turn) => void;
  readonly #done = deferred<SubscriptionEnd>();
  readonly #queue: IncomingSubgroup[] = [];
  readonly #waiting: Deferred<IncomingSubgroup | null>[] = [];
  #finished = false;

  constructor(of: Subscription, left: (turn: Turn) => void) {
    this.#of = of;
    this.#left = left;
    this.largest = of.largest;
    void of.done.then((end) => this.end(end));
  }

  get track(): TrackName {
    return this.#of.track;
  }
  get trackProperties(): Uint8Array {
    return this.#of.trackProperties;
  }
  get expiresMs(): number | undefined {
    return this.#of.expiresMs;
  }
  get done(): Promise<SubscriptionEnd> {
    return this.#done.promise;
  }

  update(terms: Partial<Omit<SubscriptionTerms, 'groupOrder'>>): Promise<UpdateAnswer> {
    return this.#of.update(terms);
  }

  nextSubgroup(): Promise<IncomingSubgroup | null> {
    const subgroup = this.#queue.shift();
    if (subgroup !== undefined) return Promise.resolve(subgroup);
    if (this.#finished) return Promise.resolve(null);
    const waiting = deferred<IncomingSubgroup | null>();
    this.#waiting.push(waiting);
    return waiting.promise;
  }

  deliver(subgroup: IncomingSubgroup): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#queue.push(subgroup);
    else waiting.resolve(subgroup);
  }

  /** No further subgroup will come. */
  finish(): void {
    this.#finished = true;
    for (const waiting of this.#waiting.splice(0)) waiting.resolve(null);
  }

  end(end: SubscriptionEnd): void {
    this.#done.resolve(end);
  }

  unsubscribe(): void {
    if (this.#finished) return;
    this.finish();
    for (const subgroup of this.#queue.splice(0)) subgroup.stop(streamResetCodes.cancelled);
    this.end({ by: 'local', status: publishDoneCodes.subscriptionEnded, reason: 'nobody watches' });
    this.#left(this);
  }
}

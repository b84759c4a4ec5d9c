import { publishDoneCodes, streamResetCodes } from '../../codec/moqt/codes.ts';
import type { ObjectDialect } from '../../codec/moqt/dialect.ts';
import { deferred } from '../../core/deferred.ts';
import { StreamsError } from '../../core/errors.ts';
import { BoundedQueue } from '../../session/bounded-queue.ts';
import type {
  DatagramObject,
  IncomingPublish,
  IncomingSubgroup,
  Location,
  Session,
  Subscription,
  SubscriptionEnd,
  SubscriptionTerms,
  TrackName,
  UpdateAnswer,
} from '../../session/types.ts';
import type { SessionTally } from '../reports/session-tally.ts';
import type { NamespacePublisher } from '../upstream/namespace-publisher.ts';
import type { Route } from '../upstream/route.ts';

/**
 * A track that a publisher offered with PUBLISH (draft-18 10.10). The subscription lasts as long as the publisher likes; the
 * relay lets objects flow only while somebody watches (Forward State 1).
 */
export class OfferedTrack {
  readonly name: TrackName;
  readonly publisher: NamespacePublisher;
  /** The session that offered it. */
  readonly by: Session;
  readonly #subscription: Subscription;
  #turn: Turn | undefined;

  /** Takes the offer, its objects not wanted yet. `name`: whole. */
  constructor(
    name: TrackName,
    offer: IncomingPublish,
    by: { session: Session; dialect: ObjectDialect; tally: SessionTally; fetch: Session['fetch']; route: Route },
  ) {
    this.name = name;
    this.by = by.session;
    this.#subscription = offer.accept({ forward: false });
    this.publisher = {
      dialect: by.dialect,
      tally: by.tally,
      route: by.route,
      namespace: name.namespace,
      session: {
        subscribe: () => this.#take(),
        fetch: (target, options) => by.fetch(target, options),
      },
    };
    void this.#pump();
    void this.#pumpDatagrams();
  }

  get trackProperties(): Uint8Array {
    return this.#subscription.trackProperties;
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

  async #pumpDatagrams(): Promise<void> {
    for (;;) {
      const datagram = await this.#subscription.nextDatagram();
      if (datagram === null) return;
      this.#turn?.deliverDatagram(datagram);
    }
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

/** Subgroups, and datagrams, that the reader has not asked for yet. */
const maxPending = 64;

function stopSubgroup(subgroup: IncomingSubgroup): void {
  subgroup.stop(streamResetCodes.cancelled);
}

/** The time in which the objects of the offered track are wanted: a subscription that the relay can leave and take up again. */
class Turn implements Subscription {
  largest: Location | undefined;
  readonly #of: Subscription;
  readonly #left: (turn: Turn) => void;
  readonly #done = deferred<SubscriptionEnd>();
  readonly #subgroups = new BoundedQueue<IncomingSubgroup>(maxPending, stopSubgroup);
  readonly #datagrams = new BoundedQueue<DatagramObject>(maxPending);
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
    return this.#subgroups.next();
  }

  nextDatagram(): Promise<DatagramObject | null> {
    return this.#datagrams.next();
  }

  deliver(subgroup: IncomingSubgroup): void {
    this.#subgroups.push(subgroup);
  }

  deliverDatagram(datagram: DatagramObject): void {
    this.#datagrams.push(datagram);
  }

  /** No further subgroup will come. */
  finish(): void {
    this.#finished = true;
    this.#subgroups.close();
    this.#datagrams.close();
  }

  end(end: SubscriptionEnd): void {
    this.#done.resolve(end);
  }

  unsubscribe(): void {
    if (this.#finished) return;
    this.finish();
    this.#subgroups.clear();
    this.end({ by: 'local', status: publishDoneCodes.subscriptionEnded, reason: 'nobody watches' });
    this.#left(this);
  }
}

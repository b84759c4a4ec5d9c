import { publishDoneCodes, streamResetCodes } from '../../../codec/moqt/codes.ts';
import type { RequestErrorMessage } from '../../../codec/moqt/control/request-error.ts';
import type { RequestOk } from '../../../codec/moqt/control/request-ok.ts';
import type { ObjectDatagram } from '../../../codec/moqt/data/datagram.ts';
import type { Location, TrackName } from '../../../codec/moqt/model.ts';
import { protocolViolation } from '../../../codec/moqt/moqt-error.ts';
import type { Deferred } from '../../../core/deferred.ts';
import { deferred } from '../../../core/deferred.ts';
import { StreamsError } from '../../../core/errors.ts';
import { BoundedQueue } from '../../bounded-queue.ts';
import { RequestError } from '../../request-error.ts';
import { parametersFor, type SubscriptionTerms } from '../../terms.ts';
import type {
  DatagramObject,
  IncomingSubgroup,
  SessionClose,
  Subscription,
  SubscriptionEnd,
  UpdateAnswer,
} from '../../types.ts';
import type { SessionContext, SessionMember } from '../context.ts';
import type { MessageStream } from '../message-stream.ts';
import { followRequest } from '../requests/follow-request.ts';
import { assertFiltersTaken } from '../requests/refused-filter.ts';
import type { SubgroupReader } from './incoming-subgroup.ts';

/** Subgroups not yet asked for; beyond, the oldest is stopped. */
const maxPendingSubgroups = 64;
const maxPendingDatagrams = 256;
/** After PUBLISH_DONE, how long streams that were announced but not seen are waited for (draft-18 10.11). */
const graceMs = 1000;

export type SubscriptionParts = {
  readonly track: TrackName;
  readonly requestId: number;
  readonly alias: number;
  readonly largest: Location | undefined;
  readonly trackProperties: Uint8Array;
  readonly expiresMs: number | undefined;
  /** For subgroups that have no priority of their own. */
  readonly defaultPriority: number;
  readonly stream: MessageStream;
  /** No stream of this alias is awaited any more. */
  readonly ended: (subscription: TrackSubscription) => void;
};

export class TrackSubscription implements Subscription, SessionMember {
  readonly #context: SessionContext;
  readonly #parts: SubscriptionParts;
  readonly #done = deferred<SubscriptionEnd>();
  /** Updates not yet answered, in the order they were sent. */
  readonly #updates: Deferred<UpdateAnswer>[] = [];
  #expiresMs: number | undefined;
  readonly #subgroups = new BoundedQueue<IncomingSubgroup>(maxPendingSubgroups, stopSubgroup);
  readonly #datagrams = new BoundedQueue<DatagramObject>(maxPendingDatagrams);
  /** Streams that came and are neither read to their end nor stopped. */
  readonly #open = new Set<SubgroupReader>();
  #received = 0;
  /** `open`, then `draining` from PUBLISH_DONE until its streams are in, then `over`. */
  #phase: 'open' | 'draining' | 'over' = 'open';
  #expected: number | undefined;
  #grace: ReturnType<typeof setTimeout> | undefined;

  constructor(context: SessionContext, parts: SubscriptionParts) {
    this.#context = context;
    this.#parts = parts;
    this.#expiresMs = parts.expiresMs;
    context.live.add(this);
  }

  get track(): TrackName {
    return this.#parts.track;
  }
  get requestId(): number {
    return this.#parts.requestId;
  }
  get alias(): number {
    return this.#parts.alias;
  }
  get largest(): Location | undefined {
    return this.#parts.largest;
  }
  get trackProperties(): Uint8Array {
    return this.#parts.trackProperties;
  }
  get expiresMs(): number | undefined {
    return this.#expiresMs;
  }
  get done(): Promise<SubscriptionEnd> {
    return this.#done.promise;
  }
  /** False once the publisher or we have ended it, even if streams are still awaited. */
  get established(): boolean {
    return this.#phase === 'open';
  }

  /** Reads the request stream until the subscription ends. */
  follow(): void {
    const { stream } = this.#parts;
    const cancelled = (): void => {
      stream.cancel(streamResetCodes.cancelled);
      this.#drain({ by: 'publisher', status: publishDoneCodes.internalError, reason: 'cancelled by the publisher' });
    };
    followRequest(this.#context, stream, {
      message: (message) => {
        // Whatever changed at the publisher was our wish.
        if (message.type === 'goaway' || message.type === 'publishStateNotify') return;
        if (message.type === 'requestOk' || message.type === 'requestError') {
          this.#updated(message);
          return;
        }
        if (message.type !== 'publishDone') throw protocolViolation(`${message.type} to a subscription`);
        if (this.#phase === 'draining') throw protocolViolation('a second PUBLISH_DONE');
        stream.finish();
        this.#drain({ by: 'publisher', status: message.status, reason: message.reason }, message.streamCount);
      },
      cancelled,
      // moq-relay lets go of the whole stream behind its PUBLISH_DONE, and STOP_SENDING may come before what was written first.
      stopped: () => {
        if (this.#phase === 'open') this.#grace = setTimeout(cancelled, graceMs);
      },
      finished: () => {
        stream.finish();
        this.#drain({ by: 'publisher', status: publishDoneCodes.internalError, reason: 'ended without PUBLISH_DONE' });
      },
    });
  }

  /** A stream of ours has come; undefined: it had no object to tell its subgroup by. */
  deliver(subgroup: SubgroupReader | undefined): void {
    this.#received++;
    if (subgroup !== undefined) {
      if (subgroup.inheritsPriority) subgroup.priority = this.#parts.defaultPriority;
      this.#open.add(subgroup);
      subgroup.ended = () => this.#open.delete(subgroup);
      this.#subgroups.push(subgroup);
    }
    if (this.#complete()) this.#finish({ by: 'publisher', status: publishDoneCodes.trackEnded, reason: '' });
  }

  nextSubgroup(): Promise<IncomingSubgroup | null> {
    return this.#subgroups.next();
  }

  deliverDatagram({ groupId, priority, endOfGroup, object }: ObjectDatagram): void {
    this.#datagrams.push({ groupId, endOfGroup, object, priority: priority ?? this.#parts.defaultPriority });
  }

  nextDatagram(): Promise<DatagramObject | null> {
    return this.#datagrams.next();
  }

  async update(terms: Partial<Omit<SubscriptionTerms, 'groupOrder'>>): Promise<UpdateAnswer> {
    assertFiltersTaken(this.#context, terms.rangeFilters);
    const limit = this.#context.maxUpdates();
    while (limit > 0 && this.#updates.length >= limit) await settled(this.#updates[0]!.promise);
    if (this.#phase !== 'open') return Promise.reject(new StreamsError('INTERRUPTED', 'the subscription has ended'));
    const answer = deferred<UpdateAnswer>();
    const parameters = parametersFor(terms);
    this.#context.requestIds.use((requestId) =>
      this.#parts.stream.send({ type: 'requestUpdate', requestId, parameters }),
    );
    this.#updates.push(answer);
    return answer.promise;
  }

  unsubscribe(): void {
    // What nobody reads would hold up the connection's flow control, and with it every other track.
    this.#subgroups.clear();
    this.#datagrams.clear();
    for (const subgroup of [...this.#open]) subgroup.cancel();
    if (this.#phase === 'over') return;
    this.#parts.stream.cancel(streamResetCodes.cancelled);
    this.#finish({ by: 'local', status: publishDoneCodes.subscriptionEnded, reason: 'unsubscribed' });
  }

  /** The alias goes to a newer subscription of the same track: nothing more will come for this one. */
  superseded(): void {
    this.#finish({ by: 'publisher', status: publishDoneCodes.trackEnded, reason: 'superseded' });
  }

  sessionEnded(close: SessionClose): void {
    this.#finish({ by: 'session', status: close.code, reason: close.reason });
  }

  #updated(message: RequestOk | RequestErrorMessage): void {
    const update = this.#updates.shift();
    if (update === undefined) throw protocolViolation(`${message.type} without a REQUEST_UPDATE`);
    if (message.type === 'requestError') {
      update.reject(new RequestError(message.code, message.reason, message.retryMs));
      return;
    }
    if (message.trackProperties.length > 0) throw protocolViolation('track properties in REQUEST_UPDATE_OK');
    const { largestObject: largest, expiresMs } = message.parameters;
    this.#expiresMs = expiresMs ?? this.#expiresMs;
    update.resolve({ ...(largest !== undefined && { largest }), ...(expiresMs !== undefined && { expiresMs }) });
  }

  #drain(end: SubscriptionEnd, expected?: number): void {
    if (this.#phase !== 'open') return;
    this.#phase = 'draining';
    clearTimeout(this.#grace);
    this.#expected = expected;
    this.#done.resolve(end);
    if (this.#complete()) this.#finish(end);
    else this.#grace = setTimeout(() => this.#finish(end), graceMs);
  }

  #complete(): boolean {
    return this.#phase === 'draining' && this.#expected !== undefined && this.#received >= this.#expected;
  }

  /** `end` counts only if none was told before. */
  #finish(end: SubscriptionEnd): void {
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    clearTimeout(this.#grace);
    this.#context.live.delete(this);
    this.#done.resolve(end);
    for (const update of this.#updates.splice(0))
      update.reject(new StreamsError('INTERRUPTED', 'the subscription has ended'));
    this.#subgroups.close();
    this.#datagrams.close();
    this.#parts.ended(this);
  }
}

async function settled(promise: Promise<unknown>): Promise<void> {
  try {
    await promise;
  } catch {
    // Whoever asked hears of it.
  }
}

function stopSubgroup(subgroup: IncomingSubgroup): void {
  subgroup.stop(streamResetCodes.cancelled);
}

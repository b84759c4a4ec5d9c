import { publishDoneCodes, streamResetCodes } from '../../codec/moqt/codes.ts';
import { type LiteDatagram, objectOf } from '../../codec/moqt/lite/datagram.ts';
import { encodeMessage } from '../../codec/moqt/lite/message.ts';
import { subscribeUpdate } from '../../codec/moqt/lite/subscribe.ts';
import { subscribeResponseCodec } from '../../codec/moqt/lite/subscribe-response.ts';
import type { TrackName } from '../../codec/moqt/model.ts';
import { protocolViolation } from '../../codec/moqt/moqt-error.ts';
import { deferred } from '../../core/deferred.ts';
import { StreamsError } from '../../core/errors.ts';
import { StreamResetError } from '../../transport/stream-reset-error.ts';
import { BoundedQueue } from '../bounded-queue.ts';
import type { SessionMember } from '../moqt/context.ts';
import type { SubscriptionTerms } from '../terms.ts';
import type {
  DatagramObject,
  IncomingSubgroup,
  SessionClose,
  Subscription,
  SubscriptionEnd,
  UpdateAnswer,
} from '../types.ts';
import type { LiteContext } from './context.ts';
import { type FrameReader, GroupReader } from './group-reader.ts';
import type { LiteStream } from './lite-stream.ts';
import { updateFor } from './lite-terms.ts';

/** Groups not yet asked for; beyond, the oldest is stopped. */
const maxPendingGroups = 64;
const maxPendingDatagrams = 256;
/** After the end was said, how long groups that were not seen are waited for. */
const graceMs = 1000;

export type LiteSubscriptionParts = {
  readonly track: TrackName;
  readonly terms: SubscriptionTerms;
  readonly trackProperties: Uint8Array;
  /** Of its groups: 0 most urgent. */
  readonly priority: number;
  readonly stream: LiteStream;
  /** No group of it is awaited any more. */
  readonly ended: () => void;
};

/** We are the subscriber of it. What is said of its newest group comes with that group, so `largest` is never known. */
export class LiteSubscription implements Subscription, SessionMember {
  readonly largest = undefined;
  readonly expiresMs = undefined;
  readonly #context: LiteContext;
  readonly #parts: LiteSubscriptionParts;
  readonly #done = deferred<SubscriptionEnd>();
  readonly #groups = new BoundedQueue<IncomingSubgroup>(maxPendingGroups, (group) =>
    group.stop(streamResetCodes.cancelled),
  );
  readonly #datagrams = new BoundedQueue<DatagramObject>(maxPendingDatagrams);
  #terms: SubscriptionTerms;
  /** First group, and the first that will not come, as far as they were said. */
  #start: number | undefined;
  #end: number | undefined;
  /** Groups that came or were said to be dropped. */
  #accounted = 0;
  #phase: 'open' | 'draining' | 'over' = 'open';
  #grace: ReturnType<typeof setTimeout> | undefined;

  constructor(context: LiteContext, parts: LiteSubscriptionParts) {
    this.#context = context;
    this.#parts = parts;
    this.#terms = parts.terms;
    context.live.add(this);
  }

  get track(): TrackName {
    return this.#parts.track;
  }
  get trackProperties(): Uint8Array {
    return this.#parts.trackProperties;
  }
  get done(): Promise<SubscriptionEnd> {
    return this.#done.promise;
  }

  /** Reads what the publisher says until it has ended. Never rejects. */
  async follow(): Promise<void> {
    const { reader } = this.#parts.stream;
    const codec = subscribeResponseCodec(this.#context.version);
    try {
      for (;;) {
        const message = await reader.typed(codec);
        if (message === null) break;
        if (message.type === 'start') this.#start ??= message.group;
        else if (message.type === 'drop') this.#accounted += message.groupEnd - message.groupStart + 1;
        else if (message.type === 'end') {
          if (this.#end !== undefined) throw protocolViolation('a second SUBSCRIBE_END');
          this.#end = message.group;
        }
      }
      this.#parts.stream.finish();
      this.#drain({ by: 'publisher', status: publishDoneCodes.trackEnded, reason: '' });
    } catch (error) {
      this.#context.fail(error);
      const reason = error instanceof StreamResetError ? error.message : 'lost';
      this.#parts.stream.cancel(streamResetCodes.cancelled);
      this.#drain({ by: 'publisher', status: statusOf(error), reason });
    }
  }

  deliver(groupId: number, frames: FrameReader): void {
    if (this.#phase === 'over') {
      frames.stop(streamResetCodes.cancelled);
      return;
    }
    this.#accounted++;
    this.#groups.push(new GroupReader(this.#context, groupId, this.#parts.priority, frames));
    if (this.#complete()) this.#finish({ by: 'publisher', status: publishDoneCodes.trackEnded, reason: '' });
  }

  deliverDatagram(datagram: LiteDatagram): void {
    const { groupId } = datagram;
    this.#accounted++;
    this.#datagrams.push({ groupId, priority: this.#parts.priority, endOfGroup: true, object: objectOf(datagram) });
  }

  nextSubgroup(): Promise<IncomingSubgroup | null> {
    return this.#groups.next();
  }

  nextDatagram(): Promise<DatagramObject | null> {
    return this.#datagrams.next();
  }

  async update(terms: Partial<Omit<SubscriptionTerms, 'groupOrder'>>): Promise<UpdateAnswer> {
    if (this.#phase !== 'open') throw new StreamsError('INTERRUPTED', 'the subscription has ended');
    const next = { ...this.#terms, ...terms };
    this.#parts.stream.write(encodeMessage(subscribeUpdate, updateFor(next), this.#context.version));
    this.#terms = next;
    return {};
  }

  unsubscribe(): void {
    this.#groups.clear();
    this.#datagrams.clear();
    if (this.#phase === 'over') return;
    this.#parts.stream.cancel(streamResetCodes.cancelled);
    this.#finish({ by: 'local', status: publishDoneCodes.subscriptionEnded, reason: 'unsubscribed' });
  }

  sessionEnded(close: SessionClose): void {
    this.#finish({ by: 'session', status: close.code, reason: close.reason });
  }

  #drain(end: SubscriptionEnd): void {
    if (this.#phase !== 'open') return;
    this.#phase = 'draining';
    this.#done.resolve(end);
    if (end.status !== publishDoneCodes.trackEnded || this.#complete()) this.#finish(end);
    else this.#grace = setTimeout(() => this.#finish(end), graceMs);
  }

  #complete(): boolean {
    if (this.#phase !== 'draining' || this.#end === undefined) return false;
    return this.#start === undefined || this.#accounted >= this.#end - this.#start;
  }

  /** `end` counts only if none was told before. */
  #finish(end: SubscriptionEnd): void {
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    clearTimeout(this.#grace);
    this.#context.live.delete(this);
    this.#done.resolve(end);
    this.#groups.close();
    this.#datagrams.close();
    this.#parts.ended();
  }
}

/** Why a subscription was broken off. */
function statusOf(error: unknown): number {
  const isMalformed = error instanceof StreamResetError && error.resetCode === streamResetCodes.malformedTrack;
  return isMalformed ? publishDoneCodes.malformedTrack : publishDoneCodes.internalError;
}

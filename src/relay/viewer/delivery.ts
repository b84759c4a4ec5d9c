import { streamResetCodes } from '../../codec/moqt/codes.ts';
import type { ObjectDialect } from '../../codec/moqt/dialect.ts';
import { StreamsError } from '../../core/errors.ts';
import type { SubgroupWriter } from '../../session/types.ts';
import type { EndListener, SendStream } from '../../transport/transport.ts';
import type { RelayCounters } from '../counters.ts';
import type { Follower } from '../track/lane.ts';
import type { CachedSubgroup } from '../track/subgroup.ts';
import { FilteredObjects } from './filtered-objects.ts';
import type { ObjectRangeFilter } from './object-range-filter.ts';

/**
 * After a wake-up that brought no room, ms: doubles up to the longest. A stream that lies does not spin, and one that waits for credit is
 * not given up for it: what is too late is for the budget and the delivery timeouts.
 */
const idlePauseMs = { first: 5, most: 320 };

/** draft-18 8, ms; 0: none. */
export type DeliveryTimeouts = { readonly objectMs: number; readonly subgroupMs: number };

/** setTimeout takes no more. */
const maxTimerMs = 2 ** 31 - 1;

export type DeliveryOwner = {
  readonly timeouts: DeliveryTimeouts;
  readonly counters: RelayCounters;
  now(): number;
  /** Objects were written, the first of them at `at` or later. */
  wrote(objects: number, at: number): void;
  /** Objects that the viewer will not get. */
  missed(objects: number): void;
  /** The delivery has more waiting than before. */
  backlogGrew(): void;
  /** Something went wrong that nobody expected: the viewer's session is over. */
  failed(error: unknown): void;
  /** Finished (what is queued may still be on its way), abandoned or stopped. */
  deliveryEnded(delivery: Delivery): void;
};

/**
 * One subgroup on its way to one viewer. While the viewer keeps up, the subgroup writes to the stream itself, together with
 * everybody else's. When the stream refuses an object, the delivery continues from a cursor into the cache at the pace of
 * the stream: what waits is not copied.
 */
export class Delivery implements Follower, EndListener {
  readonly groupId: number;
  readonly dialect: ObjectDialect;
  readonly stream: SendStream;
  readonly subgroup: CachedSubgroup;
  /** When its owner first saw it wait although a newer group was there. */
  lateSince: number | undefined;
  readonly #writer: SubgroupWriter;
  readonly #owner: DeliveryOwner;
  readonly #startObject: number;
  /** The viewer has filters, or had: it is never written to together with others. */
  #filtered: FilteredObjects | undefined;
  #state: 'live' | 'behind' | 'finished' | 'abandoned' = 'behind';
  /** Index of the next object to write while behind; of the first that is not counted yet while live. */
  #cursor: number;
  #wroteOne = false;
  #waiting = false;
  #idleWakes = 0;
  #completion: NodeJS.Timeout | undefined;
  #streamEnded = false;

  /** Begins with the first object kept whose id is at least `startObject`. */
  constructor(
    subgroup: CachedSubgroup,
    writer: SubgroupWriter,
    dialect: ObjectDialect,
    startObject: number,
    owner: DeliveryOwner,
    filtered?: FilteredObjects,
  ) {
    this.groupId = subgroup.header.groupId;
    this.dialect = dialect;
    this.stream = writer.stream;
    this.subgroup = subgroup;
    this.#writer = writer;
    this.#owner = owner;
    this.#startObject = startObject;
    this.#filtered = filtered;
    this.#cursor = subgroup.first;
  }

  start(): void {
    this.subgroup.lag(this);
    this.#writer.onEnd(this);
    if (this.subgroup.end?.type === 'finished') this.subgroupComplete();
    this.#pump();
  }

  /** Bytes not yet handed to the network: queued in the stream, and waiting in the cache. */
  get backlogBytes(): number {
    if (this.#state === 'abandoned') return 0;
    const waiting = this.#state === 'behind' ? this.subgroup.bytesFrom(this.#cursor) : 0;
    return waiting + this.stream.queuedBytes;
  }

  /** The viewer has all of it, or will not get the rest. */
  get left(): boolean {
    return this.#state === 'abandoned' || (this.#state === 'finished' && this.#streamEnded);
  }

  /** No more will be written to the stream. */
  get ended(): boolean {
    return this.#state === 'finished' || this.#state === 'abandoned';
  }

  /** What it writes next may be before that object of its group. */
  precedes(objectId: number): boolean {
    if (this.ended) return false;
    const { length } = this.subgroup;
    const next = this.#state === 'live' ? length : this.#cursor;
    const nextId =
      next < length ? this.subgroup.headAt(next).objectId : (this.subgroup.before(next)?.objectId ?? -1) + 1;
    return Math.max(nextId, this.#startObject) < objectId;
  }

  /** Resets the stream; what is queued is thrown away. */
  abandon(code: number): void {
    if (this.#state === 'abandoned') return;
    const wasFinished = this.#state === 'finished';
    this.settle();
    if (this.#state === 'behind') this.#owner.missed(this.subgroup.length - this.#cursor);
    this.#state = 'abandoned';
    clearTimeout(this.#completion);
    this.subgroup.leave(this);
    this.#writer.reset(code);
    if (!wasFinished) this.#owner.deliveryEnded(this);
  }

  /** Tells the owner of what was written together with everybody else's. */
  settle(): void {
    if (this.#state === 'live') this.#wroteUpTo(this.subgroup.length);
  }

  /** Other filters hold from the next object on. */
  setFilter(filter: ObjectRangeFilter | undefined): void {
    if (this.ended) return;
    if (this.#filtered !== undefined) this.#filtered.filter = filter;
    else if (filter?.touches(this.groupId)) {
      this.settle();
      this.#filtered = new FilteredObjects(this.subgroup, this.dialect, filter, this.#wroteOne ? this.#cursor : 0);
      if (this.#state !== 'live') return;
      this.#state = 'behind';
      this.subgroup.leave(this);
      this.subgroup.lag(this);
    }
  }

  fellBehind(index: number): void {
    if (this.ended) return;
    this.#wroteUpTo(index);
    this.#state = 'behind';
    this.#cursor = index;
    this.#wait();
    this.#owner.backlogGrew();
  }

  grew(): void {
    if (this.#state !== 'behind') return;
    if (!this.#waiting) this.#pump();
    else this.#owner.backlogGrew();
  }

  /** From now on the rest has SUBGROUP_DELIVERY_TIMEOUT to arrive. */
  subgroupComplete(): void {
    const { subgroupMs } = this.#owner.timeouts;
    if (subgroupMs === 0 || this.#completion !== undefined || this.#state === 'abandoned') return;
    if (this.left) return;
    this.#completion = setTimeout(
      () => {
        if (!this.left) this.abandon(streamResetCodes.deliveryTimeout);
      },
      Math.min(subgroupMs, maxTimerMs),
    );
    this.#completion.unref();
  }

  subgroupEnded(): void {
    const end = this.subgroup.end;
    if (end === undefined || this.ended) return;
    if (end.type === 'reset') {
      this.abandon(end.code);
      return;
    }
    this.settle();
    this.#state = 'finished';
    this.subgroupComplete();
    this.#writer.finish();
    this.#owner.deliveryEnded(this);
  }

  trimmed(): void {
    if (this.#state === 'behind' && this.#cursor < this.subgroup.first) this.abandon(streamResetCodes.tooFarBehind);
  }

  /** The stream ends, not the session: the next group may be one that can be said. */
  cannotBeSaid(): void {
    if (this.#state === 'live') {
      this.#wroteUpTo(this.subgroup.length - 1);
      this.#state = 'behind';
    }
    this.abandon(streamResetCodes.internalError);
  }

  /** Called for the publisher too, which is not to hear of what is wrong with a viewer. */
  #pump(): void {
    try {
      this.#writeAll();
    } catch (error) {
      this.cannotBeSaid();
      if (!(error instanceof StreamsError)) this.#owner.failed(error);
    }
  }

  #writeAll(): void {
    const subgroup = this.subgroup;
    while (this.#state === 'behind' && this.#cursor < subgroup.length) {
      if (!this.#wroteOne && subgroup.headAt(this.#cursor).objectId < this.#startObject) {
        this.#cursor++;
        continue;
      }
      if (this.#filtered?.passes(this.#cursor) === false) {
        this.#cursor++;
        continue;
      }
      if (this.#isTooOld()) {
        this.abandon(streamResetCodes.deliveryTimeout);
        return;
      }
      const bytes =
        this.#filtered?.bytesAt(this.#cursor) ?? subgroup.bytesAt(this.#cursor, this.dialect, !this.#wroteOne);
      if (bytes.length > 0 && !this.stream.write(bytes)) {
        this.#wait();
        return;
      }
      this.#filtered?.wrote(this.#cursor);
      this.#wroteOne = true;
      this.#idleWakes = 0;
      this.#cursor++;
      const { counters } = this.#owner;
      counters.objectsOut++;
      counters.bytesOut += bytes.length;
      this.#owner.wrote(1, this.#owner.now());
    }
    if (this.#state !== 'behind') return;
    if (subgroup.end !== undefined) {
      subgroup.leave(this);
      this.subgroupEnded();
    } else if (this.#filtered === undefined && (this.#wroteOne || (subgroup.length === 0 && this.#startObject === 0))) {
      // The first object of the stream has its own bytes, except when it is the first of the subgroup.
      this.#wroteOne = true;
      this.#state = 'live';
      subgroup.follow(this);
    }
  }

  #wroteUpTo(index: number): void {
    const count = index - this.#cursor;
    this.#cursor = index;
    if (count > 0) this.#owner.wrote(count, this.subgroup.firstArrivedAt);
  }

  #isTooOld(): boolean {
    const { objectMs } = this.#owner.timeouts;
    return objectMs > 0 && this.#owner.now() - this.subgroup.arrivedAt(this.#cursor) > objectMs;
  }

  #wait(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    void this.stream.writable().then(() => {
      if (++this.#idleWakes === 1) this.#woken();
      else setTimeout(() => this.#woken(), Math.min(idlePauseMs.first * 2 ** (this.#idleWakes - 2), idlePauseMs.most));
    });
  }

  #woken(): void {
    this.#waiting = false;
    if (this.#state === 'behind') this.#pump();
  }

  /** From the stream. */
  streamEnded(code: number | null): void {
    this.#streamEnded = true;
    clearTimeout(this.#completion);
    if (this.ended) return;
    // null: the stream ended another way, and nothing can be written to it any more.
    this.abandon(code === null ? streamResetCodes.sessionClosed : streamResetCodes.cancelled);
  }
}

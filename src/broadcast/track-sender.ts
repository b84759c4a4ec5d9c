import { publishDoneCodes, requestErrorCodes, streamResetCodes } from '../codec/moqt/codes.ts';
import { windowOf } from '../session/filter-window.ts';
import { LazyWriter } from '../session/lazy-writer.ts';
import { ObjectFilter } from '../session/object-filter.ts';
import type {
  IncomingSubscribe,
  Location,
  Publication,
  Refusal,
  SubscriptionFilter,
  SubscriptionTerms,
  UpdateAnswer,
} from '../session/types.ts';
import { Sending } from './sending.ts';
import type { StoredGroup, TrackStore } from './track-store.ts';

/** Groups a slow connection may be behind before the oldest is given up, and the bytes in them. */
const maxGroupsBehind = 8;
const maxBytesBehind = 16 << 20;
/** So long after the next one began an older group may still be under way. */
const maxLateMs = 1000;
/** What waits of the newest group may be so old: more is a picture that gets later and later until the next keyframe. */
const maxWaitedMs = 3000;

/** What became of the objects of one or more feeds. */
export type FeedTally = {
  /** Objects that came to be sent. */
  objects: number;
  /** Objects that were given up because the connection is too slow, and the groups they were in. */
  droppedObjects: number;
  droppedGroups: number;
  /** Called when a group is given up, after the counts have changed. */
  gaveUp?(): void;
};

export const newTally = (): FeedTally => ({ objects: 0, droppedObjects: 0, droppedGroups: 0 });

/**
 * Sends one track to one subscription: each group on its own stream, in order, objects whole. Never blocks the track: a
 * connection that cannot keep up loses groups, the oldest first, by age, bytes and number.
 */
export class TrackSender {
  readonly #publication: Publication;
  readonly #range: SubscriptionFilter;
  readonly #outlivesRange: boolean;
  #filter: ObjectFilter | undefined;
  readonly #priority: number;
  readonly #tally: FeedTally;
  /** By group, oldest first; until the peer has it, or it was given up. */
  readonly #sending = new Map<number, Sending>();
  /** First object of the newest group to send; later groups are sent from their first. */
  readonly #first: { group: number; object: number };
  readonly #leave: () => void;
  /** PUBLISH_DONE, once all streams are finished. */
  #ending: { readonly status: number; readonly reason: string } | undefined;
  /** The last group that was given up: it may go on. */
  #givenUp: number | undefined;
  #closed = false;

  /** `priority`: publisher priority, 0 is most urgent. `alias`: unique in the session. `tally` is added to. */
  constructor(
    request: IncomingSubscribe,
    track: TrackStore,
    alias: number,
    priority: number,
    tally: FeedTally = newTally(),
  ) {
    this.#tally = tally;
    const largest = largestOf(track.newest);
    this.#range = request.filter;
    this.#outlivesRange = request.outlivesRange === true;
    this.#filter = ObjectFilter.of(request.terms.rangeFilters);
    this.#priority = priority;
    this.#first = windowOf(request.filter, largest).start;
    this.#publication = request.accept(largest === undefined ? { alias } : { alias, largest });
    this.#publication.onUpdate((terms, before) => this.#update(terms, before, track));
    let left = false;
    let leave: (() => void) | undefined;
    this.#leave = () => {
      left = true;
      leave?.();
    };
    leave = track.follow({
      group: (group) => this.#group(group),
      object: (group) => this.#object(group),
      end: () => this.#end(publishDoneCodes.trackEnded, 'the broadcast is over'),
    });
    if (left) leave();
    void this.#publication.cancelled.then(() => this.#stop());
  }

  /** Bytes of the groups under way that their streams have not taken yet. */
  get waitingBytes(): number {
    let behind = 0;
    for (const sending of this.#sending.values()) behind += sending.waitingBytes;
    return behind;
  }

  /** The range stays (NOT_SUPPORTED); range filters may change at any object. */
  #update(terms: SubscriptionTerms, before: SubscriptionTerms, { newest }: TrackStore): UpdateAnswer | Refusal {
    if (terms.filter !== before.filter)
      return { code: requestErrorCodes.notSupported, reason: 'the filter stays as subscribed' };
    this.#filter = ObjectFilter.of(terms.rangeFilters);
    const largest = largestOf(newest);
    return largest === undefined ? {} : { largest };
  }

  #group(group: StoredGroup): void {
    const { groupId } = group;
    if (this.#closed || groupId < this.#first.group) return;
    const range = this.#range;
    if (range.type === 'absoluteRange' && groupId > range.endGroup) {
      if (!this.#outlivesRange) this.#end(publishDoneCodes.subscriptionEnded, 'end of the range');
      return;
    }
    const next = groupId === this.#first.group ? this.#first.object : 0;
    if (group.ended && next >= group.objects.length) return;
    const header = { groupId, subgroupId: 0, priority: this.#priority };
    const open = () => this.#publication.openSubgroup({ ...header, endOfGroup: true, firstObject: next === 0 });
    // Where something may be held back, it opens with what passes, and the last object need not be the last one there is.
    const openLate = () =>
      this.#publication.openSubgroup({ ...header, endOfGroup: false, firstObject: sending.next === 0 });
    const writer = this.#holdsBack(groupId) ? new LazyWriter(openLate) : open();
    const sending = new Sending(group, writer, next);
    const now = performance.now();
    for (const older of this.#sending.values()) older.lateSince ??= now;
    this.#sending.set(group.groupId, sending);
    this.#count(sending, now);
    void writer.stream.stopped.then((code) => {
      // null: the peer has all of it, or the session is over.
      if (code !== null) this.#drop(sending, streamResetCodes.cancelled);
      else if (sending.finished) this.#left(sending);
    });
    this.#pump(sending);
    this.#trim(now);
  }

  #object(group: StoredGroup): void {
    const sending = this.#sending.get(group.groupId);
    if (sending === undefined) {
      // Of a group that was given up.
      const { objects, ended } = group;
      if (this.#givenUp === group.groupId && !ended && objects.length > 0) {
        this.#tally.objects++;
        this.#tally.droppedObjects++;
      }
      return;
    }
    const now = performance.now();
    this.#count(sending, now);
    if (!sending.waiting) this.#pump(sending);
    this.#trim(now);
  }

  #pump(sending: Sending): void {
    const { group, writer } = sending;
    while (sending.next < group.objects.length) {
      if (!this.#passes(group.groupId, sending.next)) {
        sending.next++;
        continue;
      }
      const payload = group.objects[sending.next]!;
      if (!writer.write({ objectId: sending.next, status: 'normal', properties: undefined, payload })) {
        // A stream that refuses with nothing queued is dead: waiting for it would spin.
        if (writer.stream.queuedBytes === 0 && ++sending.refusals > 3) {
          this.#drop(sending, streamResetCodes.cancelled);
          return;
        }
        sending.waiting = true;
        void writer.stream.writable().then(() => {
          sending.waiting = false;
          if (this.#sending.get(group.groupId) === sending) this.#pump(sending);
        });
        return;
      }
      sending.next++;
      sending.refusals = 0;
    }
    if (!group.ended || sending.finished) return;
    sending.finished = true;
    writer.finish();
    this.#settle();
  }

  #holdsBack(groupId: number): boolean {
    const range = this.#range;
    return (
      this.#filter !== undefined ||
      (range.type === 'absoluteRange' && groupId === range.endGroup && range.endObject !== undefined)
    );
  }

  #passes(groupId: number, objectId: number): boolean {
    const range = this.#range;
    if (range.type === 'absoluteRange' && groupId === range.endGroup && objectId > (range.endObject ?? objectId))
      return false;
    return this.#filter === undefined || this.#filter.passes(0, this.#priority, { objectId, properties: undefined });
  }

  #count(sending: Sending, now: number): void {
    this.#tally.objects += sending.note(now);
  }

  /** Gives up the oldest groups while too much waits, or for too long; the newest only for its age. */
  #trim(now: number): void {
    let behind = this.waitingBytes;
    let under = [...this.#sending.values()].filter(({ finished }) => !finished).length;
    const newest = [...this.#sending.keys()].at(-1);
    for (const sending of this.#sending.values()) {
      const { lateSince, group, finished } = sending;
      const isNewest = group.groupId === newest;
      const isLate = lateSince === undefined ? sending.waitedMs(now) > maxWaitedMs : now - lateSince > maxLateMs;
      if (!isLate && (isNewest || (behind <= maxBytesBehind && under <= maxGroupsBehind))) continue;
      behind -= sending.waitingBytes;
      if (!finished) under--;
      this.#giveUp(sending);
    }
  }

  #giveUp(sending: Sending): void {
    // What the network has may be on its way, or lost: the reset takes that too, and none of it is counted.
    this.#tally.droppedObjects += sending.waitingObjects;
    this.#tally.droppedGroups++;
    this.#givenUp = sending.group.groupId;
    this.#drop(sending, streamResetCodes.tooFarBehind);
    this.#tally.gaveUp?.();
  }

  #left(sending: Sending): void {
    if (this.#sending.get(sending.group.groupId) === sending) this.#sending.delete(sending.group.groupId);
  }

  #drop(sending: Sending, code: number): void {
    if (this.#sending.get(sending.group.groupId) !== sending) return;
    this.#sending.delete(sending.group.groupId);
    sending.writer.reset(code);
    this.#settle();
  }

  #end(status: number, reason: string): void {
    this.#ending ??= { status, reason };
    this.#settle();
  }

  #settle(): void {
    if (this.#closed || this.#ending === undefined) return;
    for (const { finished } of this.#sending.values()) if (!finished) return;
    this.#closed = true;
    this.#leave();
    this.#publication.done(this.#ending.status, this.#ending.reason);
  }

  #stop(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#leave();
    const under = [...this.#sending.values()];
    this.#sending.clear();
    for (const { writer } of under) writer.reset(streamResetCodes.cancelled);
    this.#publication.done(publishDoneCodes.subscriptionEnded, 'unsubscribed');
  }
}

function largestOf(newest: StoredGroup | undefined): Location | undefined {
  if (newest === undefined || newest.objects.length === 0) return undefined;
  return { group: newest.groupId, object: newest.objects.length - 1 };
}

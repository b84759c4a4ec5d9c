import { isCatalog } from '../../access/grant.ts';
import { publishDoneCodes, requestErrorCodes, streamResetCodes } from '../../codec/moqt/codes.ts';
import type { ObjectDialect } from '../../codec/moqt/dialect.ts';
import { StreamsError } from '../../core/errors.ts';
import { type FilterWindow, isEmpty, laterOf, windowOf } from '../../session/filter-window.ts';
import type {
  DatagramObject,
  Location,
  Publication,
  Refusal,
  SubscriptionTerms,
  TrackName,
  UpdateAnswer,
} from '../../session/types.ts';
import type { RelayCounters } from '../counters.ts';
import type { RelayLimits } from '../limits.ts';
import type { CachedGroup } from '../track/group.ts';
import type { NewGroupRequests } from '../track/new-groups.ts';
import type { CachedSubgroup } from '../track/subgroup.ts';
import { Delivery, type DeliveryTimeouts } from './delivery.ts';
import { filteredDelivery } from './filtered-delivery.ts';
import { ObjectRangeFilter } from './object-range-filter.ts';
import { expiryOf, type ViewerSession } from './viewer-session.ts';

/** Deliveries that may be looked at for each object that waits. */
const deliveriesPerObject = 16;
/** At fewer deliveries nobody looks whether some of them have left. */
const fewDeliveries = 16;

export type ViewerContext = {
  readonly limits: RelayLimits;
  readonly counters: RelayCounters;
  readonly now: () => number;
};

/** What a viewer needs of its track. */
export interface WatchedTrack {
  readonly name: TrackName;
  readonly alias: number;
  readonly largest: Location | undefined;
  readonly timeouts: DeliveryTimeouts;
  readonly newGroups: NewGroupRequests;
  /** Offers it what there is of the newest group. */
  offerNewest(viewer: Viewer): void;
}

/** One accepted subscription of one session: its deliveries and its budget. */
export class Viewer {
  /** Resolves when nothing more will be sent, whoever ended it. */
  readonly ended: Promise<void>;
  readonly #publication: Publication;
  readonly #session: ViewerSession;
  readonly #track: WatchedTrack;
  #window: FilterWindow;
  /** undefined: it gets what everybody gets. */
  #rangeFilter: ObjectRangeFilter | undefined;
  #forward: boolean;
  readonly #context: ViewerContext;
  /** Ordered by arrival; finished ones stay until their bytes have left. */
  #deliveries: Delivery[] = [];
  #newestGroup = -1;
  /** How often a delivery had more waiting since the budget was looked at. */
  #grown = 0;
  /** So many deliveries, and they are looked at though no newer group came: the groups of a publisher that counts down are all old. */
  #lookAt = fewDeliveries;
  /** Something of the track was for it. */
  #begun = false;
  #ending: { status: number; reason: string } | undefined;
  #endTimer: NodeJS.Timeout | undefined;
  #over = false;
  readonly #settle = (): void => {
    for (const delivery of this.#deliveries) delivery.settle();
  };
  #resolveEnded!: () => void;

  constructor(publication: Publication, track: WatchedTrack, session: ViewerSession, context: ViewerContext) {
    this.#publication = publication;
    this.#track = track;
    this.#session = session;
    session.tally.settle.add(this.#settle);
    this.#window = windowOf(publication.terms.filter, track.largest);
    this.#rangeFilter = ObjectRangeFilter.of(publication.terms.rangeFilters, this.#window);
    this.#forward = publication.terms.forward;
    this.#context = context;
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    void publication.cancelled.then(() => this.#safely(() => this.#cancelled()));
    publication.onUpdate((terms, before) => this.#update(terms, before));
    this.#askNewGroup(publication.terms);
  }

  /** Starts with what the track already has of its newest group. */
  join(newest: CachedGroup): void {
    this.#safely(() => this.#join(newest));
  }

  #join(newest: CachedGroup): void {
    for (const subgroup of newest.subgroups.values()) {
      // A group that lost its beginning is no place to start.
      if (subgroup.first > 0 && this.#startObject(newest.id) === 0) return;
    }
    for (const subgroup of newest.subgroups.values()) this.offer(subgroup, newest.id);
    for (const datagram of newest.datagrams.values()) this.offerDatagram(datagram, new Map());
  }

  /** `encoded`: the same datagram as bytes, filled by the first who needs it; undefined: it cannot be said. */
  offerDatagram(datagram: DatagramObject, encoded: Map<ObjectDialect, Uint8Array | undefined>): void {
    this.#safely(() => this.#offerDatagram(datagram, encoded));
  }

  #offerDatagram(datagram: DatagramObject, encoded: Map<ObjectDialect, Uint8Array | undefined>): void {
    if (this.#over || this.#ending !== undefined || !this.#forward) return;
    const { groupId, object } = datagram;
    const { start, endGroup } = this.#window;
    if (groupId > endGroup) {
      this.#rangeEnded();
      return;
    }
    if (groupId < start.group || (groupId === start.group && object.objectId < start.object)) return;
    if (this.#rangeFilter?.passes(groupId, undefined, datagram.priority, object) === false) return;
    this.#begun = true;
    const { dialect } = this.#session;
    const { alias: trackAlias } = this.#publication;
    const isShared = trackAlias === this.#track.alias;
    let bytes = isShared ? encoded.get(dialect) : undefined;
    if (bytes === undefined && !(isShared && encoded.has(dialect))) {
      bytes = said(() => dialect.encodeDatagram({ ...datagram, trackAlias }));
      if (isShared) encoded.set(dialect, bytes);
    }
    const { counters } = this;
    if (bytes !== undefined && this.#publication.sendDatagramBytes(bytes)) {
      counters.objectsOut++;
      counters.bytesOut += bytes.length;
      this.wrote(1, this.now());
    } else this.missed(1);
  }

  /** A subgroup of the track begins (or begins again); `newestGroup` is the track's newest now. */
  offer(subgroup: CachedSubgroup, newestGroup: number): void {
    this.#safely(() => this.#offer(subgroup, newestGroup));
  }

  #offer(subgroup: CachedSubgroup, newestGroup: number): void {
    if (this.#over || this.#ending !== undefined || !this.#forward) return;
    const { groupId } = subgroup.header;
    if (groupId > this.#window.endGroup) {
      this.#rangeEnded();
      return;
    }
    if (groupId < this.#window.start.group) return;
    if (newestGroup !== this.#newestGroup || this.#deliveries.length >= this.#lookAt) {
      this.#newestGroup = newestGroup;
      this.#enforceBudget();
      this.#lookAt = Math.max(fewDeliveries, 2 * this.#deliveries.length);
    }
    const startObject = this.#startObject(groupId);
    // A subgroup that already ended below the start has nothing for this viewer.
    if (subgroup.end !== undefined && (subgroup.lastObjectId ?? -1) < startObject) return;
    this.#begun = true;
    const fromFirst = subgroup.header.firstObject === true && subgroup.first === 0 && startObject === 0;
    const publication = this.#publication;
    const { dialect } = this.#session;
    const filter = this.#rangeFilter;
    const open = () => publication.openSubgroup({ ...subgroup.header, firstObject: fromFirst });
    const delivery = filter?.touches(groupId)
      ? filteredDelivery({ publication, dialect, filter, subgroup, startObject, fromFirst }, this)
      : new Delivery(subgroup, open(), dialect, startObject, this);
    this.#deliveries.push(delivery);
    delivery.start();
  }

  /** Up to draft-19 the subscription ends with its range; later it waits for another one (draft-20 5.1.2). */
  #rangeEnded(): void {
    if (this.#session.dialect.outlivesRange !== true) this.end(publishDoneCodes.subscriptionEnded, 'end of the range');
  }

  /**
   * The track has other content from now on. Who follows what is newest goes on with that; who named locations named those of
   * before. A relay has to ask anew, so that it can tell the old from the new.
   */
  startOver(): void {
    this.#safely(() => this.#startOver());
  }

  #startOver(): void {
    const reason = 'another publisher took over';
    const { filter } = this.#publication.terms;
    if (!this.#begun) this.#window = windowOf(filter, undefined);
    else if (this.#session.isMember === true) this.cut(publishDoneCodes.malformedTrack, reason);
    else if (this.#publication.startOver !== undefined) this.#publication.startOver();
    else if (filter.type === 'absoluteStart' || filter.type === 'absoluteRange') {
      this.end(publishDoneCodes.trackEnded, reason);
    } else this.#window = windowOf(filter, undefined);
    this.#newestGroup = -1;
  }

  /** Ends the subscription: at once when the viewer has everything, else when it has drained or its time is up. */
  end(status: number, reason: string): void {
    if (this.#over || this.#ending !== undefined) return;
    this.#ending = { status, reason };
    this.#endTimer = setTimeout(
      () => this.#safely(() => this.#abandonAll(streamResetCodes.deliveryTimeout)),
      this.#context.limits.endDrainMs,
    );
    this.deliveryEnded();
  }

  /** Ends the subscription now: what is under way is reset. */
  cut(status: number, reason: string): void {
    if (this.#over) return;
    this.#ending ??= { status, reason };
    this.#safely(() => this.#abandonAll(streamResetCodes.cancelled));
    this.deliveryEnded();
  }

  /** The smaller one of what the publisher and the subscriber want (draft-18 8). */
  get timeouts(): DeliveryTimeouts {
    const { objectTimeoutMs, subgroupTimeoutMs } = this.#publication.terms;
    const { objectMs, subgroupMs } = this.#track.timeouts;
    return { objectMs: smaller(objectTimeoutMs, objectMs), subgroupMs: smaller(subgroupTimeoutMs, subgroupMs) };
  }

  now(): number {
    return this.#context.now();
  }

  get counters(): RelayCounters {
    return this.#context.counters;
  }

  wrote(objects: number, at: number): void {
    this.#session.tally.objectsSent += objects;
    if (!isCatalog(this.#track.name.name)) this.#session.tally.joined(at);
  }

  missed(objects: number): void {
    this.#context.counters.objectsDropped += objects;
    this.#session.tally.objectsDropped += objects;
  }

  backlogGrew(): void {
    const { length } = this.#deliveries;
    if (length <= 1) return;
    // To look costs as much as there are deliveries: with many of them it is not done for every object.
    this.#grown += deliveriesPerObject;
    if (this.#grown < length) return;
    this.#grown = 0;
    this.#enforceBudget();
  }

  deliveryEnded(): void {
    if (this.#ending === undefined || this.#over) return;
    if (this.#deliveries.some((delivery) => !delivery.ended)) return;
    const { status, reason } = this.#ending;
    this.#finish();
    this.#safely(() => this.#publication.done(status, reason));
  }

  /** From a delivery. */
  failed(error: unknown): void {
    this.#session.fail(error);
  }

  /** What calls a viewer is on its way to all of them, or serves the publisher: it does not hear of what is wrong with one. */
  #safely(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.failed(error);
    }
  }

  /** draft-18 10.9.1. Objects of before a resumption, or below an earlier start, are for FETCH. */
  #update(terms: SubscriptionTerms, before: SubscriptionTerms): UpdateAnswer | Refusal {
    const { largest } = this.#track;
    const next: Location =
      largest === undefined ? { group: 0, object: 0 } : { group: largest.group, object: largest.object + 1 };
    let cut: Delivery[] = [];
    const passedBefore = largest !== undefined && largest.group > this.#window.endGroup;
    if (terms.filter !== before.filter) {
      const window = windowOf(terms.filter, largest);
      if (isEmpty(window, largest) && this.#session.dialect.outlivesRange !== true)
        return { code: requestErrorCodes.invalidRange, reason: 'the whole range is in the past' };
      cut = this.#abandonOutside(window);
      // What the subscription has passed already is not sent again.
      const isEarlier = laterOf(window.start, this.#window.start) !== window.start;
      this.#window = isEarlier ? { ...window, start: laterOf(window.start, next)! } : window;
    }
    // Nor is what came between the end of the old range and now (draft-20 10.9.1).
    const resumes = terms.forward && (!before.forward || passedBefore);
    if (resumes) this.#window = { ...this.#window, start: laterOf(this.#window.start, next)! };
    this.#rangeFilter = ObjectRangeFilter.of(terms.rangeFilters, this.#window);
    for (const delivery of this.#deliveries) delivery.setFilter(this.#rangeFilter);
    this.#forward = terms.forward;
    if (!terms.forward) this.#abandonAll(streamResetCodes.cancelled);
    else if (resumes) this.#track.offerNewest(this);
    for (const { subgroup } of cut) this.offer(subgroup, this.#newestGroup);
    this.#askNewGroup(terms);
    return { ...(largest !== undefined && { largest }), ...expiryOf(this.#session) };
  }

  #askNewGroup({ newGroupRequest }: SubscriptionTerms): void {
    if (newGroupRequest !== undefined) this.#track.newGroups.ask(newGroupRequest, this.#track.largest?.group);
  }

  #startObject(groupId: number): number {
    return groupId === this.#window.start.group ? this.#window.start.object : 0;
  }

  /** Groups older than the newest are given up when too much of them waits: the viewer continues at the newest. */
  #enforceBudget(): void {
    const { limits, counters } = this.#context;
    // What the viewer says counts, where it says something.
    const queueAgeMs = this.#publication.terms.subgroupTimeoutMs || limits.queueAgeMs;
    const now = this.#context.now();
    const kept: Delivery[] = [];
    const late = new Set<number>();
    let waiting = 0;
    let tooOld = false;
    for (const delivery of this.#deliveries) {
      const backlog = delivery.backlogBytes;
      if (delivery.left) continue;
      kept.push(delivery);
      waiting += backlog;
      if (delivery.groupId === this.#newestGroup) continue;
      late.add(delivery.groupId);
      delivery.lateSince ??= now;
      tooOld ||= now - delivery.lateSince > queueAgeMs;
    }
    this.#deliveries = kept;
    if (late.size === 0) return;
    if (waiting <= limits.queueBytes && late.size <= limits.queueGroups && !tooOld) return;
    counters.groupsDropped += late.size;
    this.#session.tally.groupsDropped += late.size;
    this.#deliveries = kept.filter((delivery) => !late.has(delivery.groupId));
    for (const delivery of kept) if (late.has(delivery.groupId)) delivery.abandon(streamResetCodes.tooFarBehind);
  }

  #abandonAll(code: number): void {
    for (const delivery of [...this.#deliveries]) if (!delivery.ended) delivery.abandon(code);
  }

  /**
   * Of a range that has become narrower (draft-18 11.4.3). Returns those whose group goes on at a later object: on another stream, as
   * none leaves out what is before.
   */
  #abandonOutside({ start, endGroup }: FilterWindow): Delivery[] {
    const cut = this.#deliveries.filter((one) => one.groupId === start.group && one.precedes(start.object));
    for (const delivery of [...this.#deliveries]) {
      const { groupId, ended } = delivery;
      const isOutside = groupId < start.group || groupId > endGroup;
      if (!ended && (isOutside || cut.includes(delivery))) delivery.abandon(streamResetCodes.cancelled);
    }
    return cut;
  }

  #cancelled(): void {
    if (this.#over) return;
    this.#abandonAll(streamResetCodes.cancelled);
    this.#finish();
  }

  #finish(): void {
    this.#over = true;
    this.#settle();
    this.#session.tally.settle.delete(this.#settle);
    clearTimeout(this.#endTimer);
    this.#deliveries = [];
    this.#resolveEnded();
  }
}

/** undefined: the dialect has no words for it. */
function said(encode: () => Uint8Array | undefined): Uint8Array | undefined {
  try {
    return encode();
  } catch (error) {
    if (error instanceof StreamsError) return undefined;
    throw error;
  }
}

/** 0 is none. */
function smaller(a: number, b: number): number {
  return a === 0 ? b : b === 0 ? a : Math.min(a, b);
}

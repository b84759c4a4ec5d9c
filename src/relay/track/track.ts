import type { ObjectDialect } from '../../codec/moqt/dialect.ts';
import { bytesEqual, emptyBytes } from '../../core/bytes.ts';
import { type Deferred, deferred } from '../../core/deferred.ts';
import { laterOf } from '../../session/filter-window.ts';
import type {
  DatagramObject,
  Location,
  MoqObject,
  SubgroupHeader,
  Subscription,
  TrackName,
} from '../../session/types.ts';
import type { Content } from '../upstream/source.ts';
import type { DeliveryTimeouts } from '../viewer/delivery.ts';
import type { Viewer, ViewerContext } from '../viewer/viewer.ts';
import type { ObjectCache } from './cache.ts';
import { CachedGroup, Holdings } from './group.ts';
import { NewGroupRequests } from './new-groups.ts';
import { type CachedSubgroup, subgroupOverhead } from './subgroup.ts';

/** A datagram is at most a packet: this bounds what a group of them keeps. */
const maxDatagramsPerGroup = 10_000;

/** Another publisher is read, and has not shown yet whether it goes on where the one before it ended. */
type Takeover = { readonly before: Location; readonly decided: Deferred<void> };

/**
 * A relayed track: what came from upstream, and who watches it. All viewers see the same alias, so that they can be sent
 * the same bytes.
 */
export class RelayTrack {
  readonly name: TrackName;
  readonly alias: number;
  /** Largest location known (draft-18 5.1.2). */
  largest: Location | undefined;
  /** Track properties of the publisher, undecoded (draft-18 8.9). */
  properties: Uint8Array = emptyBytes;
  /** Delivery timeouts of the publisher, ms; 0: none. */
  timeouts: DeliveryTimeouts = { objectMs: 0, subgroupMs: 0 };
  readonly viewers = new Set<Viewer>();
  readonly newGroups = new NewGroupRequests();
  readonly #groups = new Map<number, CachedGroup>();
  readonly #holdings = new Holdings();
  #newest: CachedGroup | undefined;
  #takeover: Takeover | undefined;
  readonly #cache: ObjectCache;
  readonly #context: ViewerContext;

  constructor(name: TrackName, alias: number, cache: ObjectCache, context: ViewerContext) {
    this.name = name;
    this.alias = alias;
    this.#cache = cache;
    this.#context = context;
  }

  join(viewer: Viewer): void {
    this.viewers.add(viewer);
    if (this.#newest !== undefined && !this.isUndecided) viewer.join(this.#newest);
  }

  /** The viewer wants objects again. */
  offerNewest(viewer: Viewer): void {
    if (this.#newest === undefined || this.isUndecided) return;
    for (const subgroup of this.#newest.subgroups.values()) viewer.offer(subgroup, this.#newest.id);
  }

  /** What comes is from another subscription now. */
  sourceChanged(
    { largest, trackProperties }: Pick<Subscription, 'largest' | 'trackProperties'>,
    dialect: ObjectDialect,
    content: Content,
  ): void {
    this.properties = trackProperties;
    const { objectTimeoutMs, subgroupTimeoutMs } = dialect.readTrackProperties(trackProperties);
    this.timeouts = { objectMs: objectTimeoutMs, subgroupMs: subgroupTimeoutMs };
    const before = this.#takeover?.before ?? this.largest;
    if (content === 'same' || before === undefined) this.#decide(laterOf(before, largest));
    else if (content === 'other') this.#startOver(largest);
    else {
      this.#takeover ??= { before, decided: deferred() };
      this.largest = largest;
    }
  }

  /** It is not known yet whether what is kept belongs to what will come: ask `consider` about the next object. */
  get isUndecided(): boolean {
    return this.#takeover !== undefined;
  }

  /** Resolves when that is known. */
  get decided(): Promise<void> {
    return this.#takeover?.decided.promise ?? Promise.resolve();
  }

  /**
   * The next object of a publisher that took over. One behind all that was here goes on with it, as does the last one
   * repeated; what repeats others that are kept shows nothing; anything else is a publisher that counts anew, as most do when
   * they start again. Returns the object, or the same one as it is kept.
   */
  consider(groupId: number, object: MoqObject): MoqObject {
    if (this.#takeover === undefined) return object;
    const { before } = this.#takeover;
    const at = { group: groupId, object: object.objectId };
    if (laterOf(before, at) === at) {
      this.#decide(laterOf(before, this.largest));
      return object;
    }
    const kept = this.#groups.get(groupId)?.objectOf(object.objectId);
    if (kept === undefined || !bytesEqual(kept.payload, object.payload)) {
      this.#startOver(this.largest);
      return object;
    }
    if (at.group === before.group && at.object === before.object) this.#decide(laterOf(before, this.largest));
    return kept;
  }

  #decide(largest: Location | undefined): void {
    this.largest = largest;
    this.#takeover?.decided.resolve();
    this.#takeover = undefined;
  }

  /**
   * A subgroup stream arrived from upstream, and is counted for its publisher. undefined: it is a duplicate, of a group already
   * given up, or one too many.
   */
  openSubgroup(header: SubgroupHeader, dialect: ObjectDialect, publisher: Holdings): CachedSubgroup | undefined {
    const group = this.#group(header.groupId, publisher);
    if (group === undefined) return undefined;
    const isNew = !group.subgroups.has(header.subgroupId);
    if (isNew && !this.#hasRoomForSubgroup(group)) return undefined;
    const subgroup = group.open(header, dialect);
    if (subgroup === undefined || this.#newest === undefined) return undefined;
    for (const viewer of this.viewers) viewer.offer(subgroup, this.#newest.id);
    return subgroup;
  }

  /** false: the group was given up, nothing more of it is wanted. */
  append(subgroup: CachedSubgroup, object: MoqObject): boolean {
    const group = this.#groups.get(subgroup.header.groupId);
    if (group === undefined || group.subgroups.get(subgroup.header.subgroupId) !== subgroup) return false;
    // After a takeover the new publisher repeats what is already here.
    if (subgroup.lastObjectId !== undefined && object.objectId <= subgroup.lastObjectId) return true;
    const { counters, now } = this.#context;
    this.#sawLocation(group.id, object.objectId);
    counters.objectsIn++;
    counters.bytesIn += object.payload.length;
    this.#cache.grew(group, subgroup.append(object, now()));
    return true;
  }

  #hasRoomForSubgroup(group: CachedGroup): boolean {
    if (group.subgroups.size >= this.#context.limits.maxSubgroupsPerGroup) return false;
    this.#cache.grew(group, subgroupOverhead);
    if (this.#cache.hasRoom(group)) return true;
    if (!group.dropped) this.#cache.shrank(group, subgroupOverhead);
    return false;
  }

  groupOf(id: number): CachedGroup | undefined {
    return this.isUndecided ? undefined : this.#groups.get(id);
  }

  /** Groups kept, from `first` to `last`, both inclusive; ascending. */
  groupsWithin(first: number, last: number): CachedGroup[] {
    if (this.isUndecided) return [];
    const groups = [...this.#groups.values()].filter(({ id }) => id >= first && id <= last);
    return groups.sort((a, b) => a.id - b.id);
  }

  /** An object came as a datagram: it is kept in its group, and goes on as a datagram. */
  appendDatagram(datagram: DatagramObject, publisher: Holdings): void {
    const { groupId, object } = datagram;
    this.consider(groupId, object);
    const group = this.isUndecided ? undefined : this.#group(groupId, publisher);
    if (group === undefined || group.datagrams.size >= maxDatagramsPerGroup) return;
    const kept = group.addDatagram(datagram);
    if (kept === 0) return;
    const { counters } = this.#context;
    this.#sawLocation(groupId, object.objectId);
    counters.objectsIn++;
    counters.bytesIn += object.payload.length;
    this.#cache.grew(group, kept);
    const encoded = new Map<ObjectDialect, Uint8Array | undefined>();
    for (const viewer of this.viewers) viewer.offerDatagram(datagram, encoded);
  }

  /** Forgets everything kept; what viewers have not got of it yet is given up. */
  dispose(): void {
    for (const group of [...this.#groups.values()]) this.#cache.forget(group);
    this.#newest = undefined;
  }

  /** Locations that were seen may come again. */
  #startOver(largest: Location | undefined): void {
    this.dispose();
    this.newGroups.cameTrue();
    this.#decide(largest);
    for (const viewer of [...this.viewers]) viewer.startOver();
  }

  #sawLocation(group: number, object: number): void {
    const { largest } = this;
    if (group > (largest?.group ?? -1)) this.newGroups.cameTrue();
    if (largest === undefined || group > largest.group || (group === largest.group && object > largest.object)) {
      this.largest = { group, object };
    }
  }

  #group(id: number, publisher: Holdings): CachedGroup | undefined {
    const known = this.#groups.get(id);
    if (known !== undefined) return known;
    if (this.#groups.size >= this.#context.limits.maxGroupsPerTrack) this.#forgetOldest();
    const { counters, now } = this.#context;
    const group = new CachedGroup(id, now(), counters, () => this.#groups.delete(id), {
      track: this.#holdings,
      publisher,
    });
    this.#groups.set(id, group);
    if (this.#newest === undefined || id > this.#newest.id) this.#becomesNewest(group);
    else this.#cache.retire(group);
    return group.dropped ? undefined : group;
  }

  #becomesNewest(group: CachedGroup): void {
    const previous = this.#newest;
    this.#newest = group;
    this.#cache.keep(group);
    if (previous !== undefined) this.#cache.retire(previous);
  }

  #forgetOldest(): void {
    for (const group of this.#groups.values()) {
      if (group === this.#newest) continue;
      this.#cache.forget(group);
      return;
    }
  }
}

import type { ObjectDialect } from '../codec/moqt/dialect.ts';
import { emptyBytes } from '../core/bytes.ts';
import type { DatagramObject, Location, MoqObject, SubgroupHeader, TrackName } from '../session/types.ts';
import type { ObjectCache } from './cache.ts';
import type { DeliveryTimeouts } from './delivery.ts';
import { CachedGroup } from './group.ts';
import { NewGroupRequests } from './new-groups.ts';
import { laterOf } from './start-location.ts';
import type { CachedSubgroup } from './subgroup.ts';
import type { Viewer, ViewerContext } from './viewer.ts';

/** A datagram is at most a packet: this bounds what a group of them keeps. */
const maxDatagramsPerGroup = 10_000;

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
  #newest: CachedGroup | undefined;
  /** Another publisher took over: its first group is the newest whatever its id. `other`: it may have other content. */
  #newSource: 'same' | 'other' | undefined;
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
    if (this.#newest !== undefined) viewer.join(this.#newest);
  }

  /** The viewer wants objects again. */
  offerNewest(viewer: Viewer): void {
    if (this.#newest === undefined) return;
    for (const subgroup of this.#newest.subgroups.values()) viewer.offer(subgroup, this.#newest.id);
  }

  /** `isSame`: it is known to publish what the one before did. */
  sourceChanged(source: {
    largest: Location | undefined;
    properties: Uint8Array;
    dialect: ObjectDialect;
    isSame: boolean;
  }): void {
    const { largest, properties, dialect, isSame } = source;
    this.#newSource = isSame ? 'same' : 'other';
    this.properties = properties;
    const { objectTimeoutMs, subgroupTimeoutMs } = dialect.readTrackProperties(properties);
    this.timeouts = { objectMs: objectTimeoutMs, subgroupMs: subgroupTimeoutMs };
    this.largest = laterOf(this.largest, largest);
  }

  /** A subgroup stream arrived from upstream. undefined: it is a duplicate, or of a group already given up. */
  openSubgroup(header: SubgroupHeader, dialect: ObjectDialect): CachedSubgroup | undefined {
    const group = this.#group(header.groupId);
    const { limits } = this.#context;
    if (group === undefined || group.subgroups.size >= limits.maxSubgroupsPerGroup) return undefined;
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
    const { counters, limits, now } = this.#context;
    this.#sawLocation(group.id, object.objectId);
    counters.objectsIn++;
    counters.bytesIn += object.payload.length;
    let grown = subgroup.append(object, now());
    if (subgroup.bytes > limits.maxGroupBytes) grown -= subgroup.trimTo(limits.maxGroupBytes);
    this.#cache.grew(grown);
    return true;
  }

  groupOf(id: number): CachedGroup | undefined {
    return this.#groups.get(id);
  }

  /** Groups kept, from `first` to `last`, both inclusive; ascending. */
  groupsWithin(first: number, last: number): CachedGroup[] {
    const groups = [...this.#groups.values()].filter(({ id }) => id >= first && id <= last);
    return groups.sort((a, b) => a.id - b.id);
  }

  /** An object came as a datagram: it is kept in its group, and goes on as a datagram. */
  appendDatagram(datagram: DatagramObject): void {
    const { groupId, object } = datagram;
    const group = this.#group(groupId);
    if (group === undefined || group.datagrams.size >= maxDatagramsPerGroup) return;
    const kept = group.addDatagram(datagram);
    if (kept === 0) return;
    const { counters } = this.#context;
    this.#sawLocation(groupId, object.objectId);
    counters.objectsIn++;
    counters.bytesIn += object.payload.length;
    this.#cache.grew(kept);
    const encoded = new Map<ObjectDialect, Uint8Array | undefined>();
    for (const viewer of this.viewers) viewer.offerDatagram(datagram, encoded);
  }

  /** Forgets everything kept; what viewers have not got of it yet is given up. */
  dispose(): void {
    for (const group of [...this.#groups.values()]) this.#cache.forget(group);
    this.#newest = undefined;
  }

  /** What comes is other content: group ids that were seen may come again. */
  startOver(): void {
    this.dispose();
    this.largest = undefined;
    for (const viewer of [...this.viewers]) viewer.startOver();
  }

  #sawLocation(group: number, object: number): void {
    const { largest } = this;
    if (group > (largest?.group ?? -1)) this.newGroups.cameTrue();
    if (largest === undefined || group > largest.group || (group === largest.group && object > largest.object)) {
      this.largest = { group, object };
    }
  }

  #group(id: number): CachedGroup | undefined {
    // One group behind is a twin that lags; further back it counts anew, and what is kept under these ids is not its content.
    if (this.#newSource === 'other' && this.#newest !== undefined && id < this.#newest.id - 1) this.startOver();
    const known = this.#groups.get(id);
    if (known !== undefined) {
      if (this.#newSource !== undefined) this.#becomesNewest(known);
      return known;
    }
    if (this.#groups.size >= this.#context.limits.maxGroupsPerTrack) this.#forgetOldest();
    const { counters, now } = this.#context;
    const group = new CachedGroup(id, now(), counters, () => this.#groups.delete(id));
    this.#groups.set(id, group);
    if (this.#newSource !== undefined || this.#newest === undefined || id > this.#newest.id) this.#becomesNewest(group);
    else this.#cache.retire(group);
    return group.dropped ? undefined : group;
  }

  #becomesNewest(group: CachedGroup): void {
    // A publisher that counts anew: what it has is the largest there is.
    if (this.#newSource !== undefined && this.largest !== undefined && group.id < this.largest.group)
      this.largest = undefined;
    this.#newSource = undefined;
    const previous = this.#newest;
    this.#newest = group;
    this.#cache.keep(group);
    if (previous !== undefined && previous !== group) this.#cache.retire(previous);
  }

  #forgetOldest(): void {
    for (const group of this.#groups.values()) {
      if (group === this.#newest) continue;
      this.#cache.forget(group);
      return;
    }
  }
}

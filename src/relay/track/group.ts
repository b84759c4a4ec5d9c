import type { ObjectDialect } from '../../codec/moqt/dialect.ts';
import type { DatagramObject, MoqObject, SubgroupHeader } from '../../session/types.ts';
import type { RelayCounters } from '../counters.ts';
import { fairShare } from './fair-share.ts';
import { CachedSubgroup, objectOverhead, subgroupOverhead } from './subgroup.ts';

/** What one track, one publisher, or all of them keep. The groups are in the order in which they came to be what they are. */
export class Holdings {
  bytes = 0;
  /** Groups that are no longer the newest of their track. */
  readonly older = new Set<CachedGroup>();
  readonly newest = new Set<CachedGroup>();
  /** It stands for many publishers: a link to another relay of the cluster. */
  readonly isShared: boolean;

  constructor(isShared = false) {
    this.isShared = isShared;
  }
}

/** Whom a group is counted for. */
export type GroupHolders = { readonly track: Holdings; readonly publisher: Holdings };

/** The subgroups of one group, in the order in which they arrived. */
export class CachedGroup {
  readonly id: number;
  /** `performance.now()` at which its first subgroup arrived. */
  readonly arrivedAt: number;
  readonly subgroups = new Map<number, CachedSubgroup>();
  /** Objects that came as datagrams, by id, in the order in which they came. */
  readonly datagrams = new Map<number, DatagramObject>();
  #datagramBytes = 0;
  /** Datagrams were trimmed: some are missing. */
  lostDatagrams = false;
  /** What it costs to keep, about; the cache counts it. */
  bytes = 0;
  readonly track: Holdings;
  readonly publisher: Holdings;
  /** Forgotten: nothing more is taken for it. */
  dropped = false;
  readonly #counters: RelayCounters;
  /** Called when the cache forgets the group. */
  readonly #onDrop: () => void;

  constructor(id: number, arrivedAt: number, counters: RelayCounters, onDrop: () => void, holders?: GroupHolders) {
    this.id = id;
    this.track = holders?.track ?? new Holdings();
    this.publisher = holders?.publisher ?? new Holdings();
    this.arrivedAt = arrivedAt;
    this.#counters = counters;
    this.#onDrop = onDrop;
  }

  /** A new subgroup, or the one of that id if it was cut off and comes again; undefined while it is still open. */
  open(header: SubgroupHeader, dialect: ObjectDialect): CachedSubgroup | undefined {
    const known = this.subgroups.get(header.subgroupId);
    if (known !== undefined) {
      if (known.end?.type !== 'reset') return undefined;
      known.reopen();
      return known;
    }
    const subgroup = new CachedSubgroup(header, dialect, this.#counters);
    this.subgroups.set(header.subgroupId, subgroup);
    return subgroup;
  }

  /** The object of that id, if it is kept. */
  objectOf(id: number): MoqObject | undefined {
    for (const subgroup of this.subgroups.values()) {
      const index = subgroup.indexOf(id);
      if (index >= 0) return subgroup.objectAt(index);
    }
    return this.datagrams.get(id)?.object;
  }

  /** Keeps an object that came as a datagram; answers the bytes, 0 when it was here already. */
  addDatagram(datagram: DatagramObject): number {
    const { objectId } = datagram.object;
    if (this.dropped || this.datagrams.has(objectId)) return 0;
    this.datagrams.set(objectId, datagram);
    const size = sizeOf(datagram);
    this.#datagramBytes += size;
    return size;
  }

  /**
   * Forgets first objects, of those subgroups that have most, until at most `target` is kept. Returns the bytes freed. What is left may
   * be more: a subgroup costs something even when it is empty.
   */
  trimTo(target: number): number {
    const subgroups = [...this.subgroups.values()];
    const sizes = subgroups.map(({ bytes }) => bytes);
    const share = fairShare([...sizes, this.#datagramBytes], target - subgroups.length * subgroupOverhead);
    let freed = this.#trimDatagrams(share);
    for (const subgroup of subgroups) if (subgroup.bytes > share) freed += subgroup.trimTo(share);
    return freed;
  }

  #trimDatagrams(keepBytes: number): number {
    const before = this.#datagramBytes;
    for (const [id, datagram] of this.datagrams) {
      if (this.#datagramBytes <= keepBytes) break;
      this.datagrams.delete(id);
      this.#datagramBytes -= sizeOf(datagram);
      this.lostDatagrams = true;
    }
    return before - this.#datagramBytes;
  }

  /** Forgets everything; viewers still behind in it are cut off. */
  drop(): void {
    if (this.dropped) return;
    this.dropped = true;
    this.bytes = 0;
    this.#trimDatagrams(0);
    for (const subgroup of this.subgroups.values()) subgroup.trimTo(0);
    this.#onDrop();
  }
}

/** What it costs to keep, about; never 0. */
function sizeOf({ object }: DatagramObject): number {
  return object.payload.length + (object.properties?.length ?? 0) + objectOverhead;
}

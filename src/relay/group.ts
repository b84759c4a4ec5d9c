import type { ObjectDialect } from '../codec/moqt/dialect.ts';
import type { DatagramObject, MoqObject, SubgroupHeader } from '../session/types.ts';
import type { RelayCounters } from './counters.ts';
import { CachedSubgroup, objectOverhead } from './subgroup.ts';

/** The subgroups of one group, in the order in which they arrived. */
export class CachedGroup {
  readonly id: number;
  /** `performance.now()` at which its first subgroup arrived. */
  readonly arrivedAt: number;
  readonly subgroups = new Map<number, CachedSubgroup>();
  /** Objects that came as datagrams, by id. */
  readonly datagrams = new Map<number, DatagramObject>();
  /** Forgotten: nothing more is taken for it. */
  dropped = false;
  readonly #counters: RelayCounters;
  /** Called when the cache forgets the group. */
  readonly #onDrop: () => void;

  constructor(id: number, arrivedAt: number, counters: RelayCounters, onDrop: () => void) {
    this.id = id;
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
      for (let index = subgroup.first; index < subgroup.length; index++) {
        if (subgroup.headAt(index).objectId === id) return subgroup.objectAt(index);
      }
    }
    return this.datagrams.get(id)?.object;
  }

  /** Keeps an object that came as a datagram; answers the bytes, 0 when it was here already. */
  addDatagram(datagram: DatagramObject): number {
    const { objectId } = datagram.object;
    if (this.dropped || this.datagrams.has(objectId)) return 0;
    this.datagrams.set(objectId, datagram);
    return sizeOf(datagram);
  }

  /** Forgets everything; viewers still behind in it are cut off. Answers the bytes freed. */
  drop(): number {
    if (this.dropped) return 0;
    this.dropped = true;
    let freed = 0;
    for (const datagram of this.datagrams.values()) freed += sizeOf(datagram);
    this.datagrams.clear();
    for (const subgroup of this.subgroups.values()) freed += subgroup.trimTo(0);
    this.#onDrop();
    return freed;
  }
}

/** What it costs to keep, about; never 0. */
function sizeOf({ object }: DatagramObject): number {
  return object.payload.length + (object.properties?.length ?? 0) + objectOverhead;
}

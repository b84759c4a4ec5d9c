import type { Dialect } from '../codec/moqt/dialect.ts';
import type { SubgroupHeader } from '../session/types.ts';
import type { RelayCounters } from './counters.ts';
import { CachedSubgroup } from './subgroup.ts';

/** The subgroups of one group, in the order in which they arrived. */
export class CachedGroup {
  readonly id: number;
  /** `performance.now()` at which its first subgroup arrived. */
  readonly arrivedAt: number;
  readonly subgroups = new Map<number, CachedSubgroup>();
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
  open(header: SubgroupHeader, dialect: Dialect): CachedSubgroup | undefined {
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

  /** Forgets everything; viewers still behind in it are cut off. Answers the bytes freed. */
  drop(): number {
    if (this.dropped) return 0;
    this.dropped = true;
    let freed = 0;
    for (const subgroup of this.subgroups.values()) freed += subgroup.trimTo(0);
    this.#onDrop();
    return freed;
  }
}

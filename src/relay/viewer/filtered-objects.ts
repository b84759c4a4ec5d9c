import type { ObjectDialect } from '../../codec/moqt/dialect.ts';
import type { CachedSubgroup } from '../track/subgroup.ts';
import type { ObjectRangeFilter } from './object-range-filter.ts';

/**
 * The objects of a subgroup for one viewer that does not get all of them. Behind a hole an object needs bytes of its own, as it says how far
 * it is from the one before; without, they are those of everybody else.
 */
export class FilteredObjects {
  /** As it is now; undefined: everything passes again. */
  filter: ObjectRangeFilter | undefined;
  readonly #subgroup: CachedSubgroup;
  readonly #dialect: ObjectDialect;
  /** Index behind the last object written; 0: none was, or the first of the subgroup is next. */
  #next: number;
  #previousId: number | undefined;
  #writing = 0;

  /** The viewer has had what is before `next`; 0: nothing. */
  constructor(subgroup: CachedSubgroup, dialect: ObjectDialect, filter: ObjectRangeFilter, next: number) {
    this.filter = filter;
    this.#subgroup = subgroup;
    this.#dialect = dialect;
    this.#next = next;
    this.#previousId = next === 0 ? undefined : subgroup.before(next)?.objectId;
  }

  /** What is written now is the first object of the subgroup. */
  get isAtFirst(): boolean {
    return this.#writing === 0;
  }

  passes(index: number): boolean {
    const { groupId, subgroupId, priority } = this.#subgroup.header;
    return this.filter?.passes(groupId, subgroupId, priority, this.#subgroup.headAt(index)) ?? true;
  }

  bytesAt(index: number): Uint8Array {
    this.#writing = index;
    const isFirst = this.#previousId === undefined;
    if (isFirst || index === this.#next) return this.#subgroup.bytesAt(index, this.#dialect, isFirst);
    const { properties } = this.#subgroup.header;
    return this.#dialect.encodeObject(this.#previousId, this.#subgroup.objectAt(index), properties === true);
  }

  wrote(index: number): void {
    this.#next = index + 1;
    this.#previousId = this.#subgroup.headAt(index).objectId;
  }
}

import type { RangeFilters } from '../../codec/moqt/fields/range-filters.ts';
import type { FilterWindow } from '../../session/filter-window.ts';
import { ObjectFilter, type ObjectHead } from '../../session/object-filter.ts';

/** What a viewer with filters gets: objects that pass its range filters, up to the end of its range (draft-19 5.1.3, 5.1.4). */
export class ObjectRangeFilter {
  readonly #filter: ObjectFilter | undefined;
  readonly #window: FilterWindow;

  /** undefined: everything passes, as far as the last group. */
  static of(filters: RangeFilters | undefined, window: FilterWindow): ObjectRangeFilter | undefined {
    if (filters === undefined && window.endObject === Number.POSITIVE_INFINITY) return undefined;
    return new ObjectRangeFilter(ObjectFilter.of(filters), window);
  }

  private constructor(filter: ObjectFilter | undefined, window: FilterWindow) {
    this.#filter = filter;
    this.#window = window;
  }

  /** It may hold back something of the group. */
  touches(groupId: number): boolean {
    return this.#filter !== undefined || groupId >= this.#window.endGroup;
  }

  passes(groupId: number, subgroupId: number | undefined, priority: number, object: ObjectHead): boolean {
    const { endGroup, endObject } = this.#window;
    if (groupId >= endGroup && (groupId > endGroup || object.objectId > endObject)) return false;
    return this.#filter === undefined || this.#filter.passes(subgroupId, priority, object);
  }
}

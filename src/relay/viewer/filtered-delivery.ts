import type { ObjectDialect } from '../../codec/moqt/dialect.ts';
import { LazyWriter } from '../../session/lazy-writer.ts';
import type { Publication } from '../../session/types.ts';
import type { CachedSubgroup } from '../track/subgroup.ts';
import { Delivery, type DeliveryOwner } from './delivery.ts';
import { FilteredObjects } from './filtered-objects.ts';
import type { ObjectRangeFilter } from './object-range-filter.ts';

export type FilteredDeliveryParts = {
  readonly subgroup: CachedSubgroup;
  readonly publication: Publication;
  readonly dialect: ObjectDialect;
  readonly filter: ObjectRangeFilter;
  readonly startObject: number;
  /** The first object kept is the first of the subgroup. */
  readonly fromFirst: boolean;
};

/**
 * A subgroup on its way to a viewer with filters: its stream opens with the first object that passes, and does not say that the last one
 * ends the group, as that may be held back.
 */
export function filteredDelivery(parts: FilteredDeliveryParts, owner: DeliveryOwner): Delivery {
  const { subgroup, publication, dialect, filter, startObject, fromFirst } = parts;
  const objects = new FilteredObjects(subgroup, dialect, filter, 0);
  const writer = new LazyWriter(() => {
    const firstObject = fromFirst && objects.isAtFirst;
    return publication.openSubgroup({ ...subgroup.header, endOfGroup: false, firstObject });
  });
  return new Delivery(subgroup, writer, dialect, startObject, owner, objects);
}

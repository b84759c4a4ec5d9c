import type { FetchItem } from '../codec/moqt/data/fetch-stream.ts';
import { readKeyValuePairs } from '../codec/moqt/fields/key-value-pairs.ts';
import type { RangeFilters, RangeSet, ValueRange } from '../codec/moqt/fields/range-filters.ts';
import { propertyTypes } from '../codec/moqt/fields/track-properties.ts';
import type { MoqObject } from '../codec/moqt/model.ts';
import { vi64 } from '../codec/moqt/varint.ts';
import { WireReader } from '../codec/moqt/wire.ts';

/** Of an object what filters look at. */
export type ObjectHead = Pick<MoqObject, 'objectId' | 'properties'>;

/** Filters of one set, which must all pass. */
type FilterSet = { subgroup?: Ranges; object?: Ranges; priority?: Ranges; readonly properties: RangeSet[] };
type Ranges = readonly ValueRange[];
type PropertyValue = { readonly type: number; readonly value: bigint };

/** Range filters, ready to be asked for each object (draft-19 5.1.3). */
export class ObjectFilter {
  readonly #sets: readonly FilterSet[];

  /** undefined: everything passes. */
  static of(filters: RangeFilters | undefined): ObjectFilter | undefined {
    return filters === undefined ? undefined : new ObjectFilter(filters);
  }

  constructor(filters: RangeFilters) {
    const sets = new Map<number, FilterSet>();
    const of = (set: number): FilterSet => {
      const known = sets.get(set) ?? { properties: [] };
      sets.set(set, known);
      return known;
    };
    for (const { set, ranges } of filters.subgroup ?? []) of(set).subgroup = ranges;
    for (const { set, ranges } of filters.object ?? []) of(set).object = ranges;
    for (const { set, ranges } of filters.priority ?? []) of(set).priority = ranges;
    for (const filter of filters.objectProperty ?? []) of(filter.set).properties.push(filter);
    this.#sets = [...sets.values()];
  }

  /** `subgroupId` undefined: a datagram, which has none and so passes no filter for it. */
  passes(subgroupId: number | undefined, priority: number, { objectId, properties }: ObjectHead): boolean {
    let values: readonly PropertyValue[] | undefined;
    for (const set of this.#sets) {
      if (set.subgroup !== undefined && (subgroupId === undefined || !within(set.subgroup, subgroupId))) continue;
      if (set.object !== undefined && !within(set.object, objectId)) continue;
      if (set.priority !== undefined && !within(set.priority, priority)) continue;
      if (set.properties.length === 0) return true;
      values ??= valuesOf(properties);
      if (havePassed(set.properties, values)) return true;
    }
    return false;
  }

  /** Of a fetch; what is said of ranges passes. */
  passesItem(item: FetchItem): boolean {
    return item.kind !== 'object' || this.passes(item.subgroupId, item.priority, item.object);
  }
}

/**
 * Of the filters of SUBSCRIBE_TRACKS what is left for the objects of a track: the sets that it passes. undefined: all objects pass; false:
 * the track itself does not.
 */
export function filtersWithin(
  filters: RangeFilters | undefined,
  trackProperties: Uint8Array,
): RangeFilters | undefined | false {
  if (filters === undefined) return undefined;
  const { trackProperty = [], ...ofObjects } = filters;
  const values = valuesOf(trackProperties);
  const failed = new Set(trackProperty.filter((one) => !havePassed([one], values)).map(({ set }) => set));
  const passed = (sets: readonly RangeSet[]): RangeSet[] => sets.filter(({ set }) => !failed.has(set));
  const kinds = Object.entries(ofObjects).map(([kind, sets]) => [kind, passed(sets)] as const);
  const restricted = new Set(kinds.flatMap(([, sets]) => sets.map(({ set }) => set)));
  if (passed(trackProperty).some(({ set }) => !restricted.has(set))) return undefined;
  if (restricted.size === 0) return false;
  return Object.fromEntries(kinds.filter(([, sets]) => sets.length > 0));
}

/** Each looks at a property that is there, with a value in one of its ranges. */
function havePassed(filters: readonly RangeSet[], values: readonly PropertyValue[]): boolean {
  return filters.every(({ property, ranges }) =>
    values.some(({ type, value }) => type === property && within(ranges, value)),
  );
}

function within(ranges: Ranges, value: number | bigint): boolean {
  for (const { start, end } of ranges) if (value >= start && (end === undefined || value <= end)) return true;
  return false;
}

/** Those within IMMUTABLE_PROPERTIES too (12.7). Of what cannot be read there is nothing. */
function valuesOf(properties: Uint8Array | undefined): readonly PropertyValue[] {
  if (properties === undefined || properties.length === 0) return [];
  const values: PropertyValue[] = [];
  try {
    for (const { type, value } of readKeyValuePairs(new WireReader(properties, vi64))) {
      if (typeof value === 'bigint') values.push({ type, value });
      else if (type === propertyTypes.immutableProperties) {
        for (const inner of readKeyValuePairs(new WireReader(value, vi64)))
          if (typeof inner.value === 'bigint') values.push({ type: inner.type, value: inner.value });
      }
    }
  } catch {
    return [];
  }
  return values;
}

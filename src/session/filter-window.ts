import type { Location, SubscriptionFilter } from './types.ts';

/** `endObject`: the last one of the last group. Infinity: no end. */
export type FilterWindow = { readonly start: Location; readonly endGroup: number; readonly endObject: number };

/** What passes a filter, given the largest location of the track (draft-18 5.1.2). */
export function windowOf(filter: SubscriptionFilter, largest: Location | undefined): FilterWindow {
  const infinity = Number.POSITIVE_INFINITY;
  const open = { endGroup: infinity, endObject: infinity };
  switch (filter.type) {
    case 'unfiltered':
      return { start: { group: 0, object: 0 }, ...open };
    case 'largestObject':
      return {
        start: largest === undefined ? { group: 0, object: 0 } : { group: largest.group, object: largest.object + 1 },
        ...open,
      };
    case 'nextGroup':
      return { start: { group: largest === undefined ? 0 : largest.group + 1, object: 0 }, ...open };
    case 'absoluteStart':
      return { start: filter.start, ...open };
    case 'absoluteRange':
      return { start: filter.start, endGroup: filter.endGroup, endObject: filter.endObject ?? infinity };
  }
}

/** Nothing that is still to come, or comes now, passes. */
export function isEmpty({ start, endGroup }: FilterWindow, largest: Location | undefined): boolean {
  return endGroup < start.group || (largest !== undefined && endGroup < largest.group);
}

export function laterOf(a: Location | undefined, b: Location | undefined): Location | undefined {
  if (a === undefined) return b;
  if (b === undefined) return a;
  if (a.group !== b.group) return a.group > b.group ? a : b;
  return a.object >= b.object ? a : b;
}

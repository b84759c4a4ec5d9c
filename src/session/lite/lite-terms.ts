import type { SubscribeUpdate } from '../../codec/moqt/lite/subscribe.ts';
import type { SubscriptionFilter } from '../../codec/moqt/model.ts';
import { StreamsError } from '../../core/errors.ts';
import type { SubscriptionTerms } from '../terms.ts';

/**
 * For how long groups that are not the newest are wanted of a publisher, when nobody says otherwise: moq-lite's 0 is "not a
 * moment", where draft-18's is "as long as it takes".
 */
const defaultMaxLatencyMs = 10_000;

/**
 * What a subscriber asked for, in the words of draft-18. Priorities count the other way; Max Latency is what
 * SUBGROUP_DELIVERY_TIMEOUT is: the time that a group has once the next one is there. Its 0 leaves it to the sender's budget.
 */
export function termsOf(update: SubscribeUpdate, before?: SubscriptionTerms): SubscriptionTerms {
  const filter = filterOf(update);
  return {
    filter: before !== undefined && sameFilter(filter, before.filter) ? before.filter : filter,
    forward: true,
    priority: 255 - update.priority,
    groupOrder: update.ordered ? 'ascending' : 'descending',
    objectTimeoutMs: 0,
    subgroupTimeoutMs: update.maxLatencyMs,
  };
}

/** Throws UNSUPPORTED for terms that moq-lite has not: an end or a start inside a group, range filters, or no objects for now. */
export function updateFor(terms: SubscriptionTerms): SubscribeUpdate {
  if (!terms.forward) throw new StreamsError('UNSUPPORTED', 'moq-lite has no subscription without objects');
  if (terms.rangeFilters !== undefined) throw new StreamsError('UNSUPPORTED', 'moq-lite has no range filters');
  return {
    priority: 255 - terms.priority,
    ordered: terms.groupOrder === 'ascending',
    maxLatencyMs: terms.subgroupTimeoutMs || terms.objectTimeoutMs || defaultMaxLatencyMs,
    ...rangeOf(terms.filter),
  };
}

function filterOf({ groupStart, groupEnd }: SubscribeUpdate): SubscriptionFilter {
  const start = { group: groupStart ?? 0, object: 0 };
  if (groupEnd !== undefined) return { type: 'absoluteRange', start, endGroup: groupEnd };
  return groupStart === undefined ? { type: 'unfiltered' } : { type: 'absoluteStart', start };
}

function rangeOf(filter: SubscriptionFilter): Pick<SubscribeUpdate, 'groupStart' | 'groupEnd'> {
  switch (filter.type) {
    case 'unfiltered':
      return { groupStart: undefined, groupEnd: undefined };
    case 'largestObject':
    case 'nextGroup':
      throw new StreamsError(
        'UNSUPPORTED',
        `moq-lite starts with the newest group, or one of a number: ${filter.type}`,
      );
    case 'absoluteStart':
    case 'absoluteRange':
      if (filter.start.object > 0)
        throw new StreamsError('UNSUPPORTED', 'a subscription of moq-lite starts with a whole group');
      if (filter.type === 'absoluteRange' && filter.endObject !== undefined)
        throw new StreamsError('UNSUPPORTED', 'a subscription of moq-lite ends with a whole group');
      return {
        groupStart: filter.start.group,
        groupEnd: filter.type === 'absoluteRange' ? filter.endGroup : undefined,
      };
  }
}

function sameFilter(a: SubscriptionFilter, b: SubscriptionFilter): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

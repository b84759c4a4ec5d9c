import type { MessageParameters } from '../codec/moqt/fields/parameters.ts';
import { type RangeFilters, updatedFilters } from '../codec/moqt/fields/range-filters.ts';
import type { GroupOrder, SubscriptionFilter } from '../codec/moqt/model.ts';
import { objectPriorities } from '../core/send-order.ts';

/** What a subscriber wants of a subscription, and may change (draft-18 10.2, 10.9.1). */
export type SubscriptionTerms = {
  readonly filter: SubscriptionFilter;
  /** Only objects that pass them (draft-19 5.1.3); undefined: all. */
  readonly rangeFilters?: RangeFilters | undefined;
  /** false: no objects for now. */
  readonly forward: boolean;
  /** 0 … 255, 0 most urgent. */
  readonly priority: number;
  /** undefined: as the publisher likes. */
  readonly groupOrder: GroupOrder | undefined;
  /** Delivery timeouts in ms (draft-18 8); 0: none. */
  readonly objectTimeoutMs: number;
  readonly subgroupTimeoutMs: number;
  /** Only in what asked for it: begin a new group, unless one of at least this id is there (draft-18 10.2.13); 0: in any case. */
  readonly newGroupRequest?: number | undefined;
};

const defaults: SubscriptionTerms = {
  filter: { type: 'unfiltered' },
  forward: true,
  priority: objectPriorities.unsaid,
  groupOrder: undefined,
  objectTimeoutMs: 0,
  subgroupTimeoutMs: 0,
};

/** What is not among the parameters stays as it was. */
export function termsWith(parameters: MessageParameters, before: SubscriptionTerms = defaults): SubscriptionTerms {
  const { rangeFilters: changes } = parameters;
  const rangeFilters = changes === undefined ? before.rangeFilters : updatedFilters(before.rangeFilters, changes);
  return {
    filter: parameters.subscriptionFilter ?? before.filter,
    ...(rangeFilters !== undefined && { rangeFilters }),
    forward: parameters.forward ?? before.forward,
    priority: parameters.subscriberPriority ?? before.priority,
    groupOrder: parameters.groupOrder ?? before.groupOrder,
    objectTimeoutMs: parameters.objectDeliveryTimeoutMs ?? before.objectTimeoutMs,
    subgroupTimeoutMs: parameters.subgroupDeliveryTimeoutMs ?? before.subgroupTimeoutMs,
    ...(parameters.newGroupRequest !== undefined && { newGroupRequest: parameters.newGroupRequest }),
  };
}

/** The parameters that say so; what is undefined is left out. */
export function parametersFor(terms: Partial<SubscriptionTerms>): MessageParameters {
  const { filter, rangeFilters, forward, priority, groupOrder, newGroupRequest } = terms;
  const { objectTimeoutMs, subgroupTimeoutMs } = terms;
  return {
    ...(filter !== undefined && { subscriptionFilter: filter }),
    ...(rangeFilters !== undefined && { rangeFilters }),
    ...(forward !== undefined && { forward }),
    ...(priority !== undefined && { subscriberPriority: priority }),
    ...(groupOrder !== undefined && { groupOrder }),
    ...(objectTimeoutMs !== undefined && { objectDeliveryTimeoutMs: objectTimeoutMs }),
    ...(subgroupTimeoutMs !== undefined && { subgroupDeliveryTimeoutMs: subgroupTimeoutMs }),
    ...(newGroupRequest !== undefined && { newGroupRequest }),
  };
}

import type { MessageParameters } from '../../../codec/moqt/fields/parameters.ts';
import type { Location, SubscriptionFilter } from '../../../codec/moqt/model.ts';
import { protocolViolation } from '../../../codec/moqt/moqt-error.ts';
import { StreamsError } from '../../../core/errors.ts';
import { objectPriorities } from '../../../core/send-order.ts';
import { type FilterWindow, windowOf } from '../../filter-window.ts';

type Range = Pick<FilterWindow, 'start' | 'endGroup'>;

/**
 * Where an update says all terms of a subscription (draft-14 9.10): keeps them, so that ours can be said as changes, and those of the
 * peer be heard as such.
 */
export class FullUpdateTerms {
  #priority: number = objectPriorities.unsaid;
  #forward = true;
  #filter: SubscriptionFilter = { type: 'unfiltered' };
  #largest: Location | undefined;

  /** What was agreed on at first, by SUBSCRIBE or PUBLISH_OK. */
  begin({ subscriberPriority = objectPriorities.unsaid, forward = true, subscriptionFilter }: MessageParameters): void {
    this.#priority = subscriberPriority;
    this.#forward = forward;
    this.#filter = subscriptionFilter ?? { type: 'unfiltered' };
  }

  /** What the publisher told, to which some filters refer. */
  told(largest: Location | undefined): void {
    this.#largest = largest;
  }

  get forwarding(): { readonly forward: boolean } {
    return { forward: this.#forward };
  }

  /** Ours, as the wire wants them. */
  complete(changes: MessageParameters): MessageParameters {
    this.#priority = changes.subscriberPriority ?? this.#priority;
    this.#forward = changes.forward ?? this.#forward;
    this.#filter = changes.subscriptionFilter ?? this.#filter;
    return {
      ...changes,
      subscriberPriority: this.#priority,
      forward: this.#forward,
      subscriptionFilter: absolute(rangeOf(this.#filter, this.#largest)),
    };
  }

  /** Of the peer's, what is new. Throws PROTOCOL_VIOLATION for a range that is not within the one before. */
  changes(all: MessageParameters): MessageParameters {
    const { subscriberPriority: priority, forward, subscriptionFilter: filter, ...rest } = all;
    const before = rangeOf(this.#filter, this.#largest);
    const now = rangeOf(filter ?? this.#filter, this.#largest);
    if (isBefore(now.start, before.start) || now.endGroup > before.endGroup)
      throw protocolViolation('SUBSCRIBE_UPDATE widens the subscription');
    const sameRange = !isBefore(before.start, now.start) && now.endGroup === before.endGroup;
    const changed = {
      ...rest,
      ...(priority !== this.#priority && { subscriberPriority: priority! }),
      ...(forward !== this.#forward && { forward: forward! }),
      ...(!sameRange && { subscriptionFilter: filter! }),
    };
    this.begin({
      subscriberPriority: priority!,
      forward: forward!,
      subscriptionFilter: sameRange ? this.#filter : filter!,
    });
    return changed;
  }
}

/** What a filter lets through (draft-14 9.7), given the largest location when it was applied. Throws UNSUPPORTED for an end inside a group. */
function rangeOf(filter: SubscriptionFilter, largest: Location | undefined): Range {
  if (filter.type === 'absoluteRange' && filter.endObject !== undefined)
    throw new StreamsError('UNSUPPORTED', 'a subscription of this version ends with a whole group');
  return windowOf(filter, largest);
}

function isBefore(a: Location, b: Location): boolean {
  return a.group < b.group || (a.group === b.group && a.object < b.object);
}

function absolute({ start, endGroup }: Range): SubscriptionFilter {
  return endGroup === Number.POSITIVE_INFINITY
    ? { type: 'absoluteStart', start }
    : { type: 'absoluteRange', start, endGroup };
}

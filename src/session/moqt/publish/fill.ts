import type { Fetch } from '../../../codec/moqt/control/fetch.ts';
import type { LocationFilter } from '../../../codec/moqt/draft20/location-filter.ts';
import type { AuthToken } from '../../../codec/moqt/fields/auth-token.ts';
import type { MessageParameters } from '../../../codec/moqt/fields/parameters.ts';
import { updatedFilters } from '../../../codec/moqt/fields/range-filters.ts';
import type { Location, SubscriptionFilter, TrackName } from '../../../codec/moqt/model.ts';
import { deferred } from '../../../core/deferred.ts';
import type { SubscriptionTerms } from '../../terms.ts';
import type { MessageStream } from '../message-stream.ts';
import type { ResolvedFetch } from './incoming-fetch.ts';

/** A subscription, as its fills see it: they have its rights, and are over with it. */
export type FilledSubscription = {
  readonly track: TrackName;
  readonly terms: SubscriptionTerms;
  readonly tokens: readonly AuthToken[];
  readonly cancelled: Promise<void>;
};

/** FILL_PARAMETERS, and the request id of the SUBSCRIBE or REQUEST_UPDATE that carried them: a fill for each (draft-20 5.1.4). */
export type AskedFill = { readonly requestId: number; readonly parameters: MessageParameters };

/**
 * FILL_PARAMETERS (draft-20 10.2.15): what is there already of a subscription, on a FETCH stream with the request id of the message that
 * asked. It goes no further than the largest object of that moment. undefined: nothing of it is there.
 */
export function fillRange(
  { locationFilter }: MessageParameters,
  subscription: SubscriptionFilter,
  track: TrackName,
  largest: Location,
): ResolvedFetch | undefined {
  const { start, last } = windowOf(locationFilter ?? inherited(subscription), largest);
  const isEmpty = last.group < start.group || (last.group === start.group && last.object < start.object);
  return isEmpty ? undefined : { track, start, end: { group: last.group, object: last.object + 1 } };
}

function inherited(filter: SubscriptionFilter): LocationFilter {
  switch (filter.type) {
    case 'unfiltered':
      return { kind: 'all' };
    case 'absoluteStart':
      return { kind: 'absolute', start: filter.start };
    case 'absoluteRange': {
      const { type: _, ...range } = filter;
      return { kind: 'absolute', ...range };
    }
    default:
      // What is still to come.
      return { kind: 'nextObject' };
  }
}

function windowOf(filter: LocationFilter, largest: Location): { start: Location; last: Location } {
  const beginning = { group: 0, object: 0 };
  switch (filter.kind) {
    case 'all':
      return { start: beginning, last: largest };
    case 'nextObject':
      return { start: { group: largest.group, object: largest.object + 1 }, last: largest };
    case 'relative': {
      const group = largest.group + 1 - filter.groups;
      return { start: group < 0 ? beginning : { group, object: 0 }, last: largest };
    }
    case 'absolute': {
      const { start, endGroup = largest.group, endObject = Number.MAX_SAFE_INTEGER } = filter;
      const isWithin = endGroup < largest.group || (endGroup === largest.group && endObject < largest.object);
      return { start, last: isWithin ? { group: endGroup, object: endObject } : largest };
    }
  }
}

/**
 * The FETCH that a fill is, for those who serve it: of its answer nothing is sent but the stream. What it does not say is as with the
 * subscription.
 */
export function fillFetch(
  { requestId, parameters: { locationFilter: _, ...parameters } }: AskedFill,
  range: ResolvedFetch,
  { rangeFilters: inherited, priority: subscriberPriority, groupOrder }: SubscriptionTerms,
): Fetch {
  const rangeFilters = updatedFilters(inherited, parameters.rangeFilters ?? {});
  const ofSubscription = { subscriberPriority, ...(groupOrder !== undefined && { groupOrder }) };
  return {
    type: 'fetch',
    requestId,
    range: { kind: 'standalone', ...range },
    parameters: { ...ofSubscription, ...parameters, ...(rangeFilters !== undefined && { rangeFilters }) },
  };
}

/** In place of the request stream, which is the subscription's. */
export function silentStream(): MessageStream {
  const stopped = deferred<number | null>();
  const end = () => stopped.resolve(null);
  return {
    stopped: stopped.promise,
    next: () => Promise.resolve(null),
    send() {},
    finish: end,
    stopReading() {},
    cancel: end,
  };
}

/** In place of the request stream of a fill, which has no REQUEST_ERROR: `refused` tells of it another way. */
export function fillStream(refused: () => void): MessageStream {
  return {
    ...silentStream(),
    send(message) {
      if (message.type === 'requestError') refused();
    },
  };
}

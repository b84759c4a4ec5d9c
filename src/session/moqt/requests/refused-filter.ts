import { invalidFilter } from '../../../codec/moqt/codes.ts';
import type { MessageParameters } from '../../../codec/moqt/fields/parameters.ts';
import { countRanges, type RangeFilters, updatedFilters } from '../../../codec/moqt/fields/range-filters.ts';
import { StreamsError } from '../../../core/errors.ts';
import type { Refusal } from '../../types.ts';
import type { SessionContext } from '../context.ts';

/** MAX_FILTER_RANGES of ours (draft-19 10.3.1.6): every object may be compared with all of them, for every subscriber. */
export const maxFilterRanges = 64;

/** What a request, or an update of one that has filters already, is refused with (draft-19 5.1.3). */
export function refusedFilter(parameters: MessageParameters, before?: RangeFilters): Refusal | undefined {
  const { invalidFilter: reason, rangeFilters, fill } = parameters;
  if (reason !== undefined) return { code: invalidFilter, reason };
  const filters = rangeFilters === undefined ? undefined : updatedFilters(before, rangeFilters);
  if (filters !== undefined && countRanges(filters) > maxFilterRanges)
    return { code: invalidFilter, reason: `more than ${maxFilterRanges} ranges` };
  return fill === undefined ? undefined : refusedFilter(fill);
}

/** What an update of a subscription is refused with, which is to one track: filters that choose tracks are not for it. */
export function refusedUpdate(parameters: MessageParameters, before?: RangeFilters): Refusal | undefined {
  if (parameters.rangeFilters?.trackProperty === undefined) return refusedFilter(parameters, before);
  return { code: invalidFilter, reason: 'a track filter for a single track' };
}

/** Throws UNSUPPORTED where the peer takes none, or not so many. */
export function assertFiltersTaken(context: SessionContext, filters: RangeFilters | undefined): void {
  if (filters === undefined) return;
  const most = context.maxFilterRanges();
  if (most === 0) throw new StreamsError('UNSUPPORTED', 'the peer takes no range filters');
  if (countRanges(filters) > most) throw new StreamsError('UNSUPPORTED', `the peer takes at most ${most} ranges`);
}

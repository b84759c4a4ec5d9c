import { invalidFilter, requestErrorCodes } from '../codec/moqt/codes.ts';
import type { MessageParameters } from '../codec/moqt/parameters.ts';
import type { Refusal } from './types.ts';

/**
 * Filters that we do not serve. Of ranges we offer none, as we send no MAX_FILTER_RANGES (draft-19 10.3.1.6: whoever sends some is refused
 * with INVALID_FILTER); a subscription that ends within a group is a location filter we cannot satisfy (draft-20 5.1.2: INVALID_RANGE).
 */
export function refusedFilter({ rangeFilters, endsWithinGroup }: MessageParameters): Refusal | undefined {
  if (rangeFilters === true) return { code: invalidFilter, reason: 'range filters are not supported' };
  if (endsWithinGroup !== true) return undefined;
  return { code: requestErrorCodes.invalidRange, reason: 'a subscription ends with a whole group' };
}

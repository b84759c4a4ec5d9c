import { StreamsError } from '../../../core/errors.ts';
import type { Fetch } from '../control/fetch.ts';
import { fetchOk as draft18FetchOk, type FetchOk } from '../control/fetch-ok.ts';
import type { MessageCodec } from '../control/message-codec.ts';
import { readParameters, writeParameters } from '../fields/parameters.ts';
import type { Location } from '../model.ts';
import type { LocationFilter } from './location-filter.ts';

/** What has no end of its own ends with the largest object. */
const openEnd: Location = { group: Number.MAX_SAFE_INTEGER, object: 0 };

/** Ends of ours are one object behind the last, and 0 the whole group; here they are the last object itself. undefined: everything. */
function rangeToFilter(start: Location, end: Location): LocationFilter | undefined {
  if (end.group >= openEnd.group)
    return start.group === 0 && start.object === 0 ? undefined : { kind: 'absolute', start };
  const range = { kind: 'absolute', start, endGroup: end.group } as const;
  return end.object === 0 ? range : { ...range, endObject: end.object - 1 };
}

/**
 * draft-20 10.13 FETCH (0x16): a track, and its range as LOCATION_FILTER. There is no joining fetch: UNSUPPORTED. A range that refers to
 * the largest object stays the parameter `locationFilter`, beside a range that is all; the next object is nothing of what is there, like the next group.
 */
export const fetch: MessageCodec<Fetch> = {
  code: 0x16,
  type: 'fetch',
  encode(writer, { requestId, range, parameters }, rules) {
    if (range.kind !== 'standalone') throw new StreamsError('UNSUPPORTED', 'there are no joining fetches any more');
    writer.varint(requestId).track(range.track);
    const { locationFilter = rangeToFilter(range.start, range.end) } = parameters;
    writeParameters(writer, { ...parameters, ...(locationFilter !== undefined && { locationFilter }) }, rules);
  },
  decode(reader, rules) {
    const requestId = reader.varint();
    const track = reader.track();
    const { locationFilter: filter = { kind: 'all' }, ...parameters } = readParameters(reader, 'fetch', rules);
    const all = { start: { group: 0, object: 0 }, end: openEnd };
    if (filter.kind === 'all')
      return { type: 'fetch', requestId, range: { kind: 'standalone', track, ...all }, parameters };
    if (filter.kind !== 'absolute') {
      const locationFilter = filter.kind === 'relative' ? filter : ({ kind: 'relative', groups: 0 } as const);
      const range = { kind: 'standalone', track, ...all } as const;
      return { type: 'fetch', requestId, range, parameters: { ...parameters, locationFilter } };
    }
    const { start, endGroup: group, endObject } = filter;
    const end = group === undefined ? openEnd : { group, object: endObject === undefined ? 0 : endObject + 1 };
    return { type: 'fetch', requestId, range: { kind: 'standalone', track, start, end }, parameters };
  },
};

/** draft-20 10.14 FETCH_OK (0x18): the end is the last object; of a group as a whole, the largest id that we can say. */
export const fetchOk: MessageCodec<FetchOk> = {
  ...draft18FetchOk,
  encode(writer, message, rules) {
    const { group, object } = message.end;
    const last = object === 0 ? Number.MAX_SAFE_INTEGER : object - 1;
    draft18FetchOk.encode(writer, { ...message, end: { group, object: last } }, rules);
  },
  decode(reader, rules) {
    const message = draft18FetchOk.decode(reader, rules);
    const { group, object } = message.end;
    return { ...message, end: { group, object: object === Number.MAX_SAFE_INTEGER ? 0 : object + 1 } };
  },
};

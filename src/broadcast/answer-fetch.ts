import { requestErrorCodes, streamResetCodes } from '../codec/moqt/codes.ts';
import { ObjectFilter } from '../session/object-filter.ts';
import type { FetchItem, IncomingFetch, Location } from '../session/types.ts';
import type { StoredGroup, TrackStore } from './track-store.ts';

/** Larger than every object id. */
const restOfGroup = Number.MAX_SAFE_INTEGER;

/**
 * Answers a FETCH, joining or not, with what a publisher still holds of a track: its last two groups. What came before is marked
 * as unknown (draft-18 11.4.4.2). Resolves when it is over; never rejects. `priority`: publisher priority.
 */
export async function answerFetch(request: IncomingFetch, track: TrackStore, priority: number): Promise<void> {
  const { start, end, groupOrder } = request;
  const newest = track.newest;
  if (newest === undefined || newest.objects.length === 0 || start.group > newest.groupId) {
    request.reject(requestErrorCodes.invalidRange, 'nothing was published there yet');
    return;
  }
  const largest = { group: newest.groupId, object: newest.objects.length - 1 };
  const asked = { group: end.group, object: end.object === 0 ? restOfGroup : end.object - 1 };
  const last = isAfter(asked, largest) ? largest : asked;
  if (isAfter(start, last)) {
    request.reject(requestErrorCodes.invalidRange, 'nothing was published there yet');
    return;
  }
  const writer = request.accept({
    end: { group: last.group, object: last.object === restOfGroup ? 0 : last.object + 1 },
    endOfTrack: false,
  });
  const filter = ObjectFilter.of(request.rangeFilters);
  const held = [track.previous, newest].filter((group) => group !== undefined);
  try {
    for (const item of itemsOf(held, { start, last, descending: groupOrder === 'descending' }, priority)) {
      if (filter?.passesItem(item) === false) continue;
      if (!(await writer.write(item))) return;
    }
    writer.finish();
  } catch {
    writer.reset(streamResetCodes.internalError);
  }
}

/** `last` is inclusive. */
type Range = { start: Location; last: Location; descending: boolean };

function* itemsOf(held: readonly StoredGroup[], range: Range, priority: number): Generator<FetchItem> {
  const { start, last, descending } = range;
  const oldest = held[0]!.groupId;
  // A marker stands at the far end of what it speaks of, in the order of the answer.
  const far = descending ? start.group : Math.min(last.group, oldest - 1);
  const gone: FetchItem = { kind: 'endOfRange', unknown: true, groupId: far, objectId: restOfGroup };
  if (start.group < oldest && !descending) yield gone;
  for (const { groupId, objects } of descending ? held.toReversed() : held) {
    if (groupId < start.group || groupId > last.group) continue;
    const from = groupId === start.group ? start.object : 0;
    const to = groupId === last.group ? last.object : restOfGroup;
    for (let objectId = from; objectId < objects.length && objectId <= to; objectId++) {
      const object = { objectId, status: 'normal', properties: undefined, payload: objects[objectId]! } as const;
      yield { kind: 'object', groupId, subgroupId: 0, priority, object };
    }
  }
  if (start.group < oldest && descending) yield gone;
}

function isAfter(a: Location, b: Location): boolean {
  return a.group > b.group || (a.group === b.group && a.object > b.object);
}

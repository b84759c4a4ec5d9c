import type { FetchItem, Location } from '../../session/types.ts';
import type { CachedGroup } from '../track/group.ts';
import type { RelayTrack } from '../track/track.ts';

/** Both ends inclusive. */
export type FetchRange = { readonly first: Location; readonly last: Location };
export type GroupOrder = 'ascending' | 'descending';
export type FetchObject = Extract<FetchItem, { kind: 'object' }>;

/** Larger than every object id: stands for "the rest of the group". */
export const restOfGroup = Number.MAX_SAFE_INTEGER;

/** `end` is one object behind the last; object 0 is the whole group (draft-18 10.12.1). */
export function rangeOf(start: Location, end: Location): FetchRange {
  return { first: start, last: { group: end.group, object: end.object === 0 ? restOfGroup : end.object - 1 } };
}

export function endOf({ last }: FetchRange): Location {
  return { group: last.group, object: last.object === restOfGroup ? 0 : last.object + 1 };
}

export function isAfter(a: Location, b: Location): boolean {
  return a.group > b.group || (a.group === b.group && a.object > b.object);
}

export function contains({ first, last }: FetchRange, at: Location): boolean {
  return !isAfter(first, at) && !isAfter(at, last);
}

/** What of one group lies in the range. */
export function withinGroup({ first, last }: FetchRange, group: number): { from: number; to: number } {
  return { from: group === first.group ? first.object : 0, to: group === last.group ? last.object : restOfGroup };
}

/** Objects kept of a group, by id. `whole`: there are no others from `from` to `to`. */
export function keptObjects(group: CachedGroup, from: number, to: number): { objects: FetchObject[]; whole: boolean } {
  const objects: FetchObject[] = [];
  let end = Number.POSITIVE_INFINITY;
  let finished = !group.lostDatagrams;
  for (const subgroup of group.subgroups.values()) {
    // Of one that was trimmed to nothing it is not known what it had.
    if (subgroup.end?.type !== 'finished' || (subgroup.first > 0 && subgroup.first === subgroup.length))
      finished = false;
    const { subgroupId, priority } = subgroup.header;
    for (let index = subgroup.first; index < subgroup.length; index++) {
      const object = subgroup.objectAt(index);
      if (object.status !== 'normal') end = Math.min(end, object.objectId);
      else if (object.objectId >= from && object.objectId <= to)
        objects.push({ kind: 'object', groupId: group.id, subgroupId, priority, object });
    }
  }
  for (const { object, priority, endOfGroup } of group.datagrams.values()) {
    // Others may have been lost.
    finished = false;
    const { objectId } = object;
    if (object.status !== 'normal') end = Math.min(end, objectId);
    else if (objectId >= from && objectId <= to)
      objects.push({ kind: 'object', groupId: group.id, subgroupId: undefined, priority, object });
    if (endOfGroup) end = Math.min(end, objectId + 1);
  }
  objects.sort((a, b) => a.object.objectId - b.object.objectId);
  let next = from;
  const unique = objects.filter(({ object }, i) => object.objectId !== objects[i - 1]?.object.objectId);
  for (const { object } of unique) {
    if (object.objectId !== next) return { objects: unique, whole: false };
    next++;
  }
  return { objects: unique, whole: next > to || next >= end || (finished && to === restOfGroup) };
}

export type Segment = FetchRange & { readonly kept: boolean };

/** The range cut into what is whole in the cache and what is not, in the order asked for. */
export function segmentsOf(track: RelayTrack, range: FetchRange, order: GroupOrder): Segment[] {
  const { first, last } = range;
  const segments: Segment[] = [];
  let at = first;
  for (const group of track.groupsWithin(first.group, last.group)) {
    const { from, to } = withinGroup(range, group.id);
    if (!keptObjects(group, from, to).whole) continue;
    if (group.id > at.group)
      segments.push({ kept: false, first: at, last: { group: group.id - 1, object: restOfGroup } });
    segments.push({ kept: true, first: { group: group.id, object: from }, last: { group: group.id, object: to } });
    at = { group: group.id + 1, object: 0 };
  }
  if (!isAfter(at, last)) segments.push({ kept: false, first: at, last });
  return order === 'ascending' ? segments : segments.reverse();
}

/** Behind `after`, what is kept of a range that nobody can complete, its gaps marked unknown (draft-18 11.4.4.2). */
export function* partlyKnown(
  track: RelayTrack,
  range: FetchRange,
  order: GroupOrder,
  after: Location | undefined,
): Generator<FetchItem> {
  const { first, last } = range;
  const groups = track.groupsWithin(first.group, last.group);
  if (order === 'descending') groups.reverse();
  const begin = order === 'ascending' ? first : { group: last.group, object: withinGroup(range, last.group).from };
  let expected: Location = after === undefined ? begin : { group: after.group, object: after.object + 1 };
  const isPast = (group: number): boolean => (order === 'ascending' ? group < expected.group : group > expected.group);
  for (const group of groups) {
    if (isPast(group.id)) continue;
    const { from, to } = withinGroup(range, group.id);
    for (const item of keptObjects(group, from, to).objects) {
      const { objectId } = item.object;
      if (group.id === expected.group && objectId < expected.object) continue;
      if (group.id !== expected.group || objectId !== expected.object) {
        const before = order === 'ascending' ? group.id - 1 : group.id + 1;
        yield objectId > from
          ? unknownUpTo({ group: group.id, object: objectId - 1 })
          : unknownUpTo({ group: before, object: restOfGroup });
      }
      yield item;
      expected = { group: group.id, object: objectId + 1 };
    }
  }
  const stop = order === 'ascending' ? last.group : first.group;
  const end = { group: stop, object: withinGroup(range, stop).to };
  if (expected.group !== end.group || expected.object <= end.object) yield unknownUpTo(end);
}

function unknownUpTo({ group, object }: Location): FetchItem {
  return { kind: 'endOfRange', unknown: true, groupId: group, objectId: object };
}

import { describe, expect, it } from 'vitest';
import type { Dialect } from '../../../src/codec/moqt/dialect.ts';
import { draft18 } from '../../../src/codec/moqt/draft18/draft18.ts';
import { newCounters } from '../../../src/relay/counters.ts';
import { ObjectCache } from '../../../src/relay/track/cache.ts';
import { CachedGroup } from '../../../src/relay/track/group.ts';
import { Lane } from '../../../src/relay/track/lane.ts';
import { CachedSubgroup, objectOverhead } from '../../../src/relay/track/subgroup.ts';
import { memoryPair } from '../../../src/transport/memory.ts';
import type { SendStream } from '../../../src/transport/transport.ts';
import { object } from '../harness.ts';

const header = { groupId: 1, subgroupId: 0, priority: 1, endOfGroup: true, properties: true };

function decode(parts: Uint8Array[]): unknown[] {
  const decoder = draft18.subgroupDecoder();
  const head = draft18.encodeSubgroupHeader({ ...header, trackAlias: 1, firstObject: false });
  return [head, ...parts].flatMap((part) => decoder.push(part));
}

describe('CachedSubgroup', () => {
  it('gives every object in the middle of a stream and as its first', () => {
    const subgroup = new CachedSubgroup(header, draft18, newCounters());
    for (const id of [2, 3, 7]) subgroup.append({ ...object(1, id), properties: Uint8Array.of(2, id) }, 0);
    const all = [0, 1, 2].map((index) => subgroup.bytesAt(index, draft18, index === 0));
    expect(decode(all)).toEqual([2, 3, 7].map((id) => ({ ...object(1, id), properties: Uint8Array.of(2, id) })));
    const tail = [subgroup.bytesAt(1, draft18, true), subgroup.bytesAt(2, draft18, false)];
    expect(decode(tail)).toMatchObject([{ objectId: 3, properties: Uint8Array.of(2, 3) }, { objectId: 7 }]);
  });

  it('encodes for another dialect what it keeps', () => {
    const subgroup = new CachedSubgroup(header, draft18, newCounters());
    for (const id of [0, 1]) subgroup.append(object(1, id), 0);
    const seen: unknown[] = [];
    const other: Dialect = {
      ...draft18,
      encodeObject: (...call) => {
        seen.push(call);
        return Uint8Array.of(9);
      },
    };
    expect(subgroup.bytesAt(1, other, false)).toEqual(Uint8Array.of(9));
    expect(seen).toEqual([
      [0, expect.objectContaining({ objectId: 1, payload: object(1, 1).payload }), true, undefined],
    ]);
  });

  it('keeps indexes when its beginning is trimmed', () => {
    const subgroup = new CachedSubgroup(header, draft18, newCounters());
    let bytes = 0;
    for (const id of [0, 1, 2, 3]) bytes += subgroup.append(object(1, id, 100), 0);
    const gone = subgroup.trimTo(250 + 2 * objectOverhead);
    expect(subgroup.first).toBe(2);
    expect(subgroup.length).toBe(4);
    expect(subgroup.bytes).toBe(bytes - gone);
    expect(decode([subgroup.bytesAt(2, draft18, true)])).toMatchObject([{ objectId: 2 }]);
    expect(subgroup.bytesFrom(3)).toBe(subgroup.bytesAt(3, draft18, false).length);
    // For a dialect of its own, behind the object that was trimmed last.
    expect(subgroup.bytesAt(2, { ...draft18 }, false)).toEqual(subgroup.bytesAt(2, draft18, false));
  });
});

describe('Lane', () => {
  it('drops exactly the followers whose stream refused', () => {
    const { client } = memoryPair({ highWaterBytes: 10 });
    const lane = new Lane(draft18);
    const followers = [0, 1, 2, 3, 4].map(() => follower(client.openUni()));
    for (const one of followers) lane.add(one);
    for (const index of [1, 3, 4]) followers[index]!.stream.write(new Uint8Array(10));
    expect(new Set(lane.write(new Uint8Array(3)))).toEqual(new Set([followers[1], followers[3], followers[4]]));
    expect(lane.write(new Uint8Array(2))).toBeUndefined();
    expect(followers.map(({ stream }) => stream.queuedBytes)).toEqual([5, 10, 5, 10, 10]);
    lane.remove(followers[0]!);
    lane.remove(followers[1]!);
    expect(lane.clear()).toEqual([followers[2]]);
    expect(lane.size).toBe(0);
  });
});

describe('ObjectCache', () => {
  it('forgets older groups, oldest first, by bytes and by age, and never a newest one', () => {
    let now = 0;
    const bounds = { maxGroupBytes: 1e6, maxTrackBytes: 1e6, maxPublisherBytes: 1e6, totalBytes: 1e6 };
    const cacheBytes = 1000 + 3 * objectOverhead;
    const cache = new ObjectCache({ ...bounds, cacheBytes, cacheAgeMs: 100 }, () => now);
    const dropped: number[] = [];
    const group = (id: number): CachedGroup => {
      const made = new CachedGroup(id, now, newCounters(), () => dropped.push(id));
      cache.grew(made, made.open(header, draft18)!.append(object(id, 0, 300), 0));
      return made;
    };
    const groups = [1, 2, 3].map(group);
    for (const older of groups.slice(0, 2)) cache.retire(older);
    expect(dropped).toEqual([]);
    groups.push(group(4));
    expect(dropped).toEqual([1]);
    now = 200;
    cache.retire(groups[2]!);
    expect(dropped).toEqual([1, 2, 3]);
    for (let id = 5; id < 10; id++) group(id);
    expect(dropped).toEqual([1, 2, 3]);
    cache.forget(groups[3]!);
    expect(dropped).toEqual([1, 2, 3, 4]);
  });
});

function follower(stream: SendStream) {
  return {
    dialect: draft18,
    stream,
    fellBehind() {},
    grew() {},
    subgroupComplete() {},
    subgroupEnded() {},
    trimmed() {},
    cannotBeSaid() {},
  };
}

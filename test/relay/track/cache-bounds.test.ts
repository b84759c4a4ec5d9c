import { describe, expect, it } from 'vitest';
import { draft18 } from '../../../src/codec/moqt/draft18/draft18.ts';
import { newCounters } from '../../../src/relay/counters.ts';
import { defaultLimits } from '../../../src/relay/limits.ts';
import { ObjectRate } from '../../../src/relay/reports/object-rate.ts';
import { ObjectCache } from '../../../src/relay/track/cache.ts';
import { fairShare } from '../../../src/relay/track/fair-share.ts';
import { Holdings } from '../../../src/relay/track/group.ts';
import { CachedSubgroup, objectOverhead, subgroupOverhead } from '../../../src/relay/track/subgroup.ts';
import { RelayTrack } from '../../../src/relay/track/track.ts';
import { object } from '../harness.ts';

const bounds = {
  cacheBytes: 300_000,
  cacheAgeMs: 1e9,
  maxGroupBytes: 60_000,
  maxTrackBytes: 100_000,
  maxPublisherBytes: 250_000,
  totalBytes: 600_000,
};

/** mulberry32: the same numbers for the same seed, 0 ≤ n < 1. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('the bounds of the cache', () => {
  it.each([1, 2, 3, 4])('hold for a group, a track, a publisher and all under any mix (seed %i)', (seed) => {
    const random = seededRandom(seed);
    const pick = (below: number): number => Math.floor(random() * below);
    const cache = new ObjectCache(bounds, () => 0);
    const context = { limits: { ...defaultLimits, ...bounds }, counters: newCounters(), now: () => 0 };
    const publishers = Array.from({ length: 6 }, (_, i) => new Holdings(i === 0));
    const tracks = publishers.flatMap((publisher, p) =>
      Array.from({ length: 1 + pick(8) }, (_, t) => ({
        publisher,
        track: new RelayTrack({ namespace: [`${p}`], name: `${t}` }, 1, cache, context),
        newest: 0,
        nextDatagram: 0,
      })),
    );
    const over: string[] = [];
    const open: { track: RelayTrack; subgroup: CachedSubgroup }[] = [];
    // Each seed has another taste: many groups, many subgroups, large objects, tiny ones, datagrams.
    const [groups, subgroups, largest, datagrams] = [1 + pick(80), 1 + pick(64), 10 ** (1 + pick(5)), random()];
    for (let step = 0; step < 2000; step++) {
      const one = tracks[pick(tracks.length)]!;
      const { track, publisher } = one;
      const groupId = Math.max(0, one.newest - 3 + pick(5));
      one.newest = Math.max(one.newest, pick(groups) === 0 ? groupId : one.newest);
      if (random() < 0.2 * datagrams) {
        const datagram = {
          groupId,
          priority: 1,
          endOfGroup: false,
          object: object(0, one.nextDatagram++, 2 + pick(1200)),
        };
        track.appendDatagram(datagram, publisher);
      } else if (random() < 0.3 || open.length === 0) {
        const header = { groupId, subgroupId: pick(subgroups), priority: 1, endOfGroup: false, properties: false };
        const subgroup = track.openSubgroup(header, draft18, publisher);
        if (subgroup !== undefined) open.push({ track, subgroup });
      } else {
        const { track, subgroup } = open[pick(open.length)]!;
        for (let i = pick(20); i >= 0; i--) {
          track.append(
            subgroup,
            object(0, (subgroup.lastObjectId ?? -1) + 1 + pick(2), 2 + pick(Math.min(largest, 50_000))),
          );
        }
      }
      if (random() < 0.01) one.track.dispose();

      if (cache.bytes > bounds.totalBytes) over.push('all');
      for (const { isShared, bytes } of publishers)
        if (!isShared && bytes > bounds.maxPublisherBytes) over.push('publisher');
      if (step % 100 > 0) continue;
      let all = 0;
      for (const { track } of tracks) {
        let ofTrack = 0;
        for (const group of track.groupsWithin(0, Number.MAX_SAFE_INTEGER)) {
          // What it says it keeps is what it keeps.
          let kept = 0;
          for (const subgroup of group.subgroups.values()) {
            kept += subgroupOverhead + subgroup.bytes;
            let objects = 0;
            for (let i = subgroup.first; i < subgroup.length; i++) {
              objects += subgroup.bytesAt(i, draft18, false).length + objectOverhead;
            }
            if (subgroup.bytes !== objects) over.push('a subgroup counts wrong');
          }
          for (const { object } of group.datagrams.values()) kept += object.payload.length + objectOverhead;
          if (group.bytes !== kept) over.push('a group counts wrong');
          if (group.bytes > bounds.maxGroupBytes) over.push('a group');
          ofTrack += group.bytes;
        }
        if (ofTrack > bounds.maxTrackBytes) over.push('a track');
        all += ofTrack;
      }
      expect(cache.bytes).toBe(all);
    }
    expect(over).toEqual([]);
    for (const { track } of tracks) track.dispose();
    expect([cache.bytes, ...publishers.map(({ bytes }) => bytes)]).toEqual([0, 0, 0, 0, 0, 0, 0]);
    for (const { older, newest } of publishers) expect([older.size, newest.size]).toEqual([0, 0]);
  });

  it('take from those who keep much, not from those who keep little', () => {
    const cache = new ObjectCache(
      { ...bounds, maxPublisherBytes: 1e9, maxTrackBytes: 1e9, maxGroupBytes: 1e9 },
      () => 0,
    );
    const context = { limits: { ...defaultLimits, ...bounds }, counters: newCounters(), now: () => 0 };
    const publish = (name: string, publisher: Holdings) => {
      const track = new RelayTrack({ namespace: [name], name }, 1, cache, context);
      const header = { groupId: 0, subgroupId: 0, priority: 1, endOfGroup: false, properties: false };
      const subgroup = track.openSubgroup(header, draft18, publisher)!;
      return { subgroup, append: (id: number, size: number) => track.append(subgroup, object(0, id, size)) };
    };
    const honest = publish('honest', new Holdings());
    for (let id = 0; id < 10; id++) honest.append(id, 1000);
    const much = new Holdings();
    const tracks = Array.from({ length: 50 }, (_, i) => publish(`much ${i}`, much));
    for (let id = 0; id < 100; id++) for (const { append } of tracks) append(id, 1000);
    expect(honest.subgroup.first).toBe(0);
    expect(tracks.every(({ subgroup }) => subgroup.first > 0)).toBe(true);
  });

  it('share what there is so that who has little keeps it', () => {
    expect(fairShare([10, 100, 1000], 610)).toBe(500);
    expect(fairShare([10, 100, 1000], 5000)).toBe(Number.POSITIVE_INFINITY);
    expect(fairShare([10, 100, 1000], 24)).toBe(8);
    expect(fairShare([], 10)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('a group of tiny objects', () => {
  it('costs the same an object however many there are', () => {
    const limits = { ...bounds, maxGroupBytes: 32 << 20, maxTrackBytes: 1e9, maxPublisherBytes: 1e9, totalBytes: 1e9 };
    const cache = new ObjectCache({ ...limits, cacheBytes: 1e9 }, () => 0);
    const context = { limits: { ...defaultLimits, ...limits }, counters: newCounters(), now: () => 0 };
    const track = new RelayTrack({ namespace: ['a'], name: 'a' }, 1, cache, context);
    const header = { groupId: 0, subgroupId: 0, priority: 1, endOfGroup: false, properties: false };
    const subgroup = track.openSubgroup(header, draft18, new Holdings())!;
    const append = (from: number, to: number): number => {
      const startedAt = performance.now();
      for (let id = from; id < to; id++) track.append(subgroup, object(0, id, 2));
      return performance.now() - startedAt;
    };
    append(0, 20_000);
    const before = append(20_000, 120_000);
    append(120_000, 200_000);
    // From here on each object pushes others out. One move of all for each took a thousand times as long.
    const after = append(200_000, 300_000);
    expect(subgroup.first).toBeGreaterThan(0);
    expect(after).toBeLessThan(20 * before + 200);
  });

  it('is searched for an object by halves', () => {
    const subgroup = new CachedSubgroup(
      { groupId: 1, subgroupId: 0, priority: 1, endOfGroup: true, properties: false },
      draft18,
      newCounters(),
    );
    for (let id = 0; id < 1000; id++) subgroup.append(object(1, id * 3), 0);
    subgroup.trimTo(500 * (objectOverhead + 20));
    for (let id = 0; id < 3000; id++) {
      const index = subgroup.indexOf(id);
      expect(index).toBe(id % 3 === 0 && id / 3 >= subgroup.first ? id / 3 : -1);
    }
    expect(subgroup.indexOf(3000)).toBe(-1);
  });
});

describe('ObjectRate', () => {
  it('is a bucket that says once that it is empty', () => {
    let now = 0;
    let times = 0;
    const rate = new ObjectRate(
      { objectBurst: 10, objectsPerSecond: 100 },
      () => times++,
      () => now,
    );
    const take = (count: number): boolean[] => Array.from({ length: count }, () => rate.take());
    expect(take(10)).not.toContain(false);
    now = 1000;
    expect(take(10)).not.toContain(false);
    now = 1050;
    expect(take(5)).not.toContain(false);
    expect([...take(2), times]).toEqual([false, false, 1]);
  });
});

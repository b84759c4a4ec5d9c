import { afterEach, describe, expect, it, vi } from 'vitest';
import { type FeedTally, newTally, TrackSender } from '../../src/broadcast/track-sender.ts';
import { TrackStore } from '../../src/broadcast/track-store.ts';
import { bytesEqual } from '../../src/core/bytes.ts';
import { establish } from '../../src/session/establish.ts';
import type { RangeFilters, SubscriptionFilter } from '../../src/session/types.ts';
import { memoryPair } from '../../src/transport/memory.ts';
import { collect, until } from '../engine/harness.ts';

type Options = { highWaterBytes?: number; protocol?: string; rangeFilters?: RangeFilters; tally?: FeedTally };

async function subscribed(
  track: TrackStore,
  filter: SubscriptionFilter,
  { highWaterBytes = 1 << 20, protocol = 'moqt-18', rangeFilters, tally }: Options = {},
) {
  const pair = memoryPair({ protocol, highWaterBytes });
  const [publisher, subscriber] = await Promise.all([
    establish(pair.client, {
      role: 'client',
      path: '/',
      authority: 'test',
      handlers: { subscribe: (request) => void new TrackSender(request, track, 1, 2, tally) },
    }),
    establish(pair.server, { role: 'server' }),
  ]);
  const subscription = await subscriber.subscribe(
    { namespace: ['n'], name: track.name },
    {
      filter,
      ...(rangeFilters !== undefined && { rangeFilters }),
    },
  );
  return { subscription, close: () => publisher.close(0, '') };
}

const payload = (group: number, object: number, size = 10) => new Uint8Array(size).fill(group * 16 + object);

describe('TrackSender', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each<[string, SubscriptionFilter, [number, number[]][]]>([
    [
      'unfiltered: the newest group from its first object',
      { type: 'unfiltered' },
      [
        [5, [0, 1, 2]],
        [6, [0]],
      ],
    ],
    [
      'largestObject: what comes next',
      { type: 'largestObject' },
      [
        [5, [2]],
        [6, [0]],
      ],
    ],
    ['nextGroup: from the next group', { type: 'nextGroup' }, [[6, [0]]]],
    [
      'absoluteStart',
      { type: 'absoluteStart', start: { group: 5, object: 1 } },
      [
        [5, [1, 2]],
        [6, [0]],
      ],
    ],
  ])('%s', async (_name, filter, expected) => {
    const track = new TrackStore('video');
    track.begin(5);
    track.push(payload(5, 0));
    track.push(payload(5, 1));
    const { subscription, close } = await subscribed(track, filter);
    const groups = collect(subscription);
    track.push(payload(5, 2));
    track.begin(6);
    track.push(payload(6, 0));
    track.end();
    expect(await subscription.done).toMatchObject({ by: 'publisher' });
    await until(
      () =>
        groups.length === expected.length &&
        groups.every((group, i) => group.objects.length === expected[i]![1].length),
      'all objects',
    );
    expect(groups.map((group) => [group.groupId, group.objects.map((object) => object.objectId)])).toEqual(expected);
    close();
  });

  it('gives up whole old groups when the connection is slow, holds little, and always delivers the newest', async () => {
    const track = new TrackStore('video');
    const { subscription, close } = await subscribed(track, { type: 'unfiltered' }, { highWaterBytes: 64 << 10 });
    for (let group = 1; group <= 40; group++) {
      track.begin(group);
      for (let object = 0; object < 10; object++) track.push(payload(group, object, 200 << 10));
    }
    track.end();
    const groups = collect(subscription);
    await until(() => groups.find((group) => group.groupId === 40)?.objects.length === 10, 'the newest group');
    await until(
      () => groups.every((group) => group.reset || group.objects.length === 10),
      'each group whole or given up',
    );
    // Given up before their header was read, most are never seen.
    expect(groups.filter((group) => !group.reset).length).toBeLessThanOrEqual(9);
    for (const group of groups)
      for (const object of group.objects)
        expect(bytesEqual(object.payload, payload(group.groupId, object.objectId, 200 << 10))).toBe(true);
    close();
  });

  it('gives up an old group by its age, counts what it gave up, and leaves the newest alone while it is young', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const track = new TrackStore('video');
    const tally = newTally();
    // What is not read is not on its way: little enough that bytes and number are no reason.
    const { subscription, close } = await subscribed(track, { type: 'unfiltered' }, { highWaterBytes: 8 << 10, tally });
    for (let group = 1; group <= 3; group++) {
      track.begin(group);
      for (let object = 0; object < 5; object++) track.push(payload(group, object, 4 << 10));
    }
    vi.advanceTimersByTime(900);
    track.push(payload(3, 5, 4 << 10));
    expect(tally).toEqual({ objects: 16, droppedObjects: 0, droppedGroups: 0 });
    vi.advanceTimersByTime(101);
    track.push(payload(3, 6, 4 << 10));
    expect(tally).toEqual({ objects: 17, droppedObjects: 10, droppedGroups: 2 });
    // A group that does not end gets no later either.
    vi.advanceTimersByTime(2100);
    track.push(payload(3, 7, 4 << 10));
    expect(tally).toEqual({ objects: 18, droppedObjects: 18, droppedGroups: 3 });
    track.push(payload(3, 8, 4 << 10));
    expect(tally).toMatchObject({ objects: 19, droppedObjects: 19 });
    vi.useRealTimers();
    track.begin(4);
    track.push(payload(4, 0));
    track.end();
    const groups = collect(subscription);
    await until(() => groups.some(({ groupId, objects }) => groupId === 4 && objects.length === 1), 'the next group');
    expect(await subscription.done).toMatchObject({ status: 0x2 });
    close();
  });

  it('sends what passes the filters as they are now; what may be held back is no end of a group', async () => {
    const track = new TrackStore('video');
    const only = (start: bigint) => ({ object: [{ set: 0, ranges: [{ start, end: start }] }] });
    const options = { protocol: 'moqt-20', rangeFilters: only(1n) };
    const { subscription, close } = await subscribed(track, { type: 'unfiltered' }, options);
    track.begin(1);
    for (const id of [0, 1, 2]) track.push(payload(1, id));
    const subgroup = (await subscription.nextSubgroup())!;
    expect(subgroup).toMatchObject({ groupId: 1, endOfGroup: false, firstObject: false });
    expect(await subscription.update({ rangeFilters: only(4n) })).toEqual({ largest: { group: 1, object: 2 } });
    for (const id of [3, 4, 5]) track.push(payload(1, id));
    // Nothing of it passes: no stream.
    track.begin(2);
    track.push(payload(2, 0));
    await subscription.update({ rangeFilters: { object: [], priority: only(2n).object } });
    track.begin(3);
    track.push(payload(3, 0));
    track.end();
    expect([await subgroup.next(), await subgroup.next(), await subgroup.next()]).toMatchObject([
      { objectId: 1 },
      { objectId: 4 },
      null,
    ]);
    expect(await subscription.nextSubgroup()).toMatchObject({ groupId: 3, endOfGroup: false, firstObject: true });
    expect(await subscription.nextSubgroup()).toBeNull();
    close();
  });

  it('ends within a group where asked, and stays until the track ends', async () => {
    const track = new TrackStore('video');
    const filter = { type: 'absoluteRange', start: { group: 1, object: 0 }, endGroup: 2, endObject: 0 } as const;
    const { subscription, close } = await subscribed(track, filter, { protocol: 'moqt-20' });
    const groups = collect(subscription);
    for (const group of [1, 2, 3]) {
      track.begin(group);
      for (const id of [0, 1]) track.push(payload(group, id));
    }
    await until(() => groups[1]?.objects.length === 1, 'the first object of the last group');
    expect(track.followers).toBe(1);
    track.end();
    expect(await subscription.done).toMatchObject({ status: 0x2 });
    expect(groups.map(({ objects }) => objects.map(({ objectId }) => objectId))).toEqual([[0, 1], [0]]);
    close();
  });

  it.each(['moq-00', 'moqt-16', 'moqt-18', 'moqt-19'])(
    'ends the subscription with its range up to draft-19, not the track (%s)',
    async (protocol) => {
      const track = new TrackStore('video');
      const filter = { type: 'absoluteRange', start: { group: 1, object: 0 }, endGroup: 1 } as const;
      const { subscription, close } = await subscribed(track, filter, { protocol });
      const groups = collect(subscription);
      for (const group of [1, 2]) {
        track.begin(group);
        track.push(payload(group, 0));
      }
      expect(await subscription.done).toMatchObject({ by: 'publisher', status: 0x3 });
      await until(() => groups[0]?.objects.length === 1, 'the object of the range');
      expect(groups).toMatchObject([{ groupId: 1 }]);
      close();
    },
  );

  it('keeps its range', async () => {
    const track = new TrackStore('video');
    const { subscription, close } = await subscribed(track, { type: 'unfiltered' });
    await expect(subscription.update({ filter: { type: 'nextGroup' } })).rejects.toMatchObject({ requestCode: 0x3 });
    await until(() => track.followers === 0, 'nobody follows');
    close();
  });

  it('ends its streams when the subscriber leaves', async () => {
    const track = new TrackStore('video');
    const { subscription, close } = await subscribed(track, { type: 'unfiltered' });
    track.begin(1);
    track.push(payload(1, 0));
    const groups = collect(subscription);
    await until(() => groups[0]?.objects.length === 1, 'the first object');
    subscription.unsubscribe();
    await until(() => track.followers === 0, 'nobody follows');
    close();
  });

  it('ends with the session', async () => {
    const track = new TrackStore('video');
    const { close } = await subscribed(track, { type: 'unfiltered' });
    expect(track.followers).toBe(1);
    close();
    await until(() => track.followers === 0, 'nobody follows');
  });
});

import { describe, expect, it } from 'vitest';
import { bytesEqual } from '../../src/core/bytes.ts';
import { establish } from '../../src/session/establish.ts';
import { TrackFeed } from '../../src/session/track-feed.ts';
import { TrackStore } from '../../src/session/track-store.ts';
import type { SubscriptionFilter } from '../../src/session/types.ts';
import { memoryPair } from '../../src/transport/memory.ts';
import { collect, until } from '../engine/harness.ts';

async function subscribed(track: TrackStore, filter: SubscriptionFilter, highWaterBytes = 1 << 20) {
  const pair = memoryPair({ protocol: 'moqt-18', highWaterBytes });
  const [publisher, subscriber] = await Promise.all([
    establish(pair.client, {
      role: 'client',
      path: '/',
      authority: 'test',
      handlers: { subscribe: (request) => void new TrackFeed(request, track, 1, 2) },
    }),
    establish(pair.server, { role: 'server' }),
  ]);
  const subscription = await subscriber.subscribe({ namespace: ['n'], name: track.name }, { filter });
  return { subscription, close: () => publisher.close(0, '') };
}

const payload = (group: number, object: number, size = 10) => new Uint8Array(size).fill(group * 16 + object);

describe('TrackFeed', () => {
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
    const { subscription, close } = await subscribed(track, { type: 'unfiltered' }, 64 << 10);
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

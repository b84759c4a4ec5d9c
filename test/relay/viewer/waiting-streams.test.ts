import { afterEach, expect, it } from 'vitest';
import type { RelayCore } from '../../../src/relay/relay.ts';
import { establish } from '../../../src/session/establish.ts';
import type { IncomingSubgroup } from '../../../src/session/types.ts';
import { memoryPair } from '../../../src/transport/memory.ts';
import { eventually } from '../eventually.ts';
import { nextGroup, readSubgroup, TestPublisher, testRelay, track, watch } from '../harness.ts';

let relay: RelayCore;
afterEach(() => relay.close());

it('a stream that wakes the relay without room is waited for, not reset', async () => {
  relay = testRelay();
  const publisher = await TestPublisher.start(relay);
  const pair = memoryPair({ protocol: 'moqt-18', path: '/playback/lv_one', highWaterBytes: 1000 });
  const { server } = pair;
  const openUni = server.openUni.bind(server);
  let wakes = 0;
  server.openUni = (options) => {
    const stream = openUni(options);
    stream.writable = () => {
      wakes++;
      return Promise.resolve();
    };
    return stream;
  };
  void relay.serve(server);
  const session = await establish(pair.client, { role: 'client' });
  const subscription = await session.subscribe(track);
  await eventually(() => expect(publisher.publications).toHaveLength(1));
  publisher.group(1, [1000, 1000, 1000]);
  const since = performance.now();
  await eventually(() => expect(performance.now() - since).toBeGreaterThan(500));
  expect(wakes).toBeGreaterThan(2);
  expect(wakes).toBeLessThan(20);
  expect(relay.stats().objectsDropped).toBe(0);
  expect(await nextGroup(subscription)).toMatchObject({ group: 1, ids: [0, 1, 2], end: 'fin' });
});

it('of a publisher that counts down a viewer that does not read holds no more than of one that counts up', async () => {
  relay = testRelay({ queueGroups: 4 });
  const publisher = await TestPublisher.start(relay);
  const { session } = await watch(relay);
  const subscription = await session.subscribe(track);
  const slow = await watch(relay);
  const unread: IncomingSubgroup[] = [];
  const behind = await slow.session.subscribe(track);
  const reading = (async () => {
    for (let next = await behind.nextSubgroup(); next !== null; next = await behind.nextSubgroup()) unread.push(next);
  })();
  await eventually(() => expect(publisher.publications).toHaveLength(1));
  const groups = 100;
  const sizes = [200_000, 200_000, 200_000];
  for (let group = groups; group > 0; group--) {
    publisher.group(group, sizes);
    expect(await nextGroup(subscription)).toMatchObject({ group, end: 'fin' });
  }
  await eventually(() => expect(relay.stats().groupsDropped).toBeGreaterThan(groups / 2));
  const ends = await Promise.all(unread.map(readSubgroup));
  expect(ends.filter(({ end }) => end === 'reset').length).toBeGreaterThan(groups / 2);
  slow.session.close(0, '');
  await reading;
});

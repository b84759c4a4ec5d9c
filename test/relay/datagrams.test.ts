import { afterEach, expect, it } from 'vitest';
import type { RelayCore } from '../../src/relay/relay.ts';
import { eventually } from './eventually.ts';
import { object, TestPublisher, testRelay, track, watch } from './harness.ts';

let relay: RelayCore;
afterEach(() => relay.close());

const datagram = (groupId: number, objectId: number, endOfGroup = false) => ({
  groupId,
  priority: 5,
  endOfGroup,
  object: { ...object(groupId, objectId), properties: Uint8Array.of(2, 7) },
});

it('datagrams stay datagrams, to everybody, untouched; whoever joins gets those of the newest group', async () => {
  relay = testRelay();
  const publisher = await TestPublisher.start(relay);
  const viewers = await Promise.all([watch(relay), watch(relay)]);
  const subscriptions = await Promise.all(viewers.map(({ session }) => session.subscribe(track)));
  const publication = publisher.publications[0]!;
  for (const one of [datagram(1, 0), datagram(1, 1, true), datagram(2, 0)]) publication.sendDatagram(one);
  for (const subscription of subscriptions) {
    expect(await subscription.nextDatagram()).toEqual(datagram(1, 0));
    expect(await subscription.nextDatagram()).toEqual(datagram(1, 1, true));
    expect(await subscription.nextDatagram()).toEqual(datagram(2, 0));
  }
  const { session } = await watch(relay);
  const late = await session.subscribe(track);
  expect(late.largest).toEqual({ group: 2, object: 0 });
  expect(await late.nextDatagram()).toEqual(datagram(2, 0));
  const filtered = await (await watch(relay)).session.subscribe(track, { filter: { type: 'largestObject' } });
  publication.sendDatagram(datagram(2, 0));
  publication.sendDatagram(datagram(2, 1));
  expect(await filtered.nextDatagram()).toEqual(datagram(2, 1));
  expect(relay.stats()).toMatchObject({ objectsIn: 4, objectsOut: 11 });
});

it('a fetch finds them, with their forwarding preference; what may have been lost is unknown', async () => {
  relay = testRelay();
  const publisher = await TestPublisher.start(relay);
  await (await watch(relay)).session.subscribe(track);
  const publication = publisher.publications[0]!;
  publication.sendDatagram(datagram(1, 0));
  publication.sendDatagram(datagram(1, 1, true));
  publication.sendDatagram(datagram(2, 1));
  publication.sendDatagram(datagram(3, 0));
  await eventually(() => expect(relay.stats().objectsIn).toBe(4));
  const { session } = await watch(relay);
  const fetched = await session.fetch({ track, start: { group: 1, object: 0 }, end: { group: 2, object: 0 } });
  const items = [];
  for (let item = await fetched.next(); item !== null; item = await fetched.next()) items.push(item);
  const { endOfGroup: _, ...first } = datagram(1, 0);
  expect(items[0]).toEqual({ kind: 'object', subgroupId: undefined, ...first });
  expect(items.map((item) => (item.kind === 'object' ? item.object.objectId : 'unknown'))).toEqual([
    0,
    1,
    'unknown',
    1,
    'unknown',
  ]);
});

it('are forgotten with their group', async () => {
  relay = testRelay({ cacheAgeMs: 0 });
  const publisher = await TestPublisher.start(relay);
  const subscription = await (await watch(relay)).session.subscribe(track);
  publisher.publications[0]!.sendDatagram(datagram(1, 0));
  await subscription.nextDatagram();
  const { cacheBytes } = relay.stats();
  expect(cacheBytes).toBeGreaterThan(10);
  publisher.publications[0]!.sendDatagram(datagram(2, 0));
  await subscription.nextDatagram();
  expect(relay.stats().cacheBytes).toBe(cacheBytes);
});

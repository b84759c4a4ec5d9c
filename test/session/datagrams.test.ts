import { expect, it } from 'vitest';
import { draft18 } from '../../src/codec/moqt/draft18/draft18.ts';
import { BoundedQueue } from '../../src/session/bounded-queue.ts';
import { encode, messages, obj, rawPeer, subscribed, track } from './helpers.ts';

const datagram = (groupId: number, objectId: number) => ({
  groupId,
  priority: 3,
  endOfGroup: objectId === 1,
  object: obj(objectId, `${groupId}/${objectId}`, { properties: Uint8Array.of(2, 5) }),
});

it('brings objects as datagrams, as they were sent', async () => {
  const { subscription, publication } = await subscribed();
  expect(publication.sendDatagram(datagram(1, 0))).toBe(true);
  expect(publication.sendDatagram(datagram(1, 1))).toBe(true);
  expect(await subscription.nextDatagram()).toEqual(datagram(1, 0));
  expect(await subscription.nextDatagram()).toEqual(datagram(1, 1));
  const next = subscription.nextDatagram();
  publication.done(0x2, '');
  expect(await next).toBeNull();
  expect(publication.sendDatagram(datagram(1, 2))).toBe(false);
});

it('keeps the newest that nobody asked for', async () => {
  const dropped: number[] = [];
  const queue = new BoundedQueue<number>(2, (item) => dropped.push(item));
  for (const item of [1, 2, 3]) queue.push(item);
  expect(dropped).toEqual([1]);
  expect([await queue.next(), await queue.next()]).toEqual([2, 3]);
  const next = queue.next();
  queue.close();
  expect(await next).toBeNull();
});

it('holds one that overtook SUBSCRIBE_OK, and gives it the priority of the track', async () => {
  const { raw, opening, setup } = await rawPeer('client');
  setup();
  const session = await opening;
  const answer = session.subscribe(track);
  const bidi = (await raw.acceptBidi())!;
  await messages(bidi.receive, 1);
  const { priority: _, ...inherits } = datagram(4, 0);
  raw.sendDatagram(draft18.encodeDatagram({ trackAlias: 6, ...inherits }));
  raw.sendDatagram(draft18.encodeDatagram({ trackAlias: 9, ...inherits }));
  bidi.send.write(encode({ type: 'subscribeOk', trackAlias: 6, parameters: {}, trackProperties: new Uint8Array() }));
  expect(await (await answer).nextDatagram()).toEqual({ ...datagram(4, 0), priority: 128 });
});

it('of no valid type closes the session; padding does not', async () => {
  const { raw, opening, setup } = await rawPeer('server');
  setup();
  const session = await opening;
  raw.sendDatagram(Uint8Array.of(0xf0, 0x13, 0x2b, 0x3e, 0x29, 0, 0));
  raw.sendDatagram(Uint8Array.of(0x22, 1, 1, 1));
  expect(await session.closed).toMatchObject({ by: 'local', code: 0x3 });
});

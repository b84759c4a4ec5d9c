import { describe, expect, it } from 'vitest';
import { everythingBelow } from '../../src/access/pattern.ts';
import { streamResetCodes } from '../../src/codec/moqt/codes.ts';
import { establish } from '../../src/session/establish.ts';
import type { IncomingSubscribe } from '../../src/session/types.ts';
import { memoryPair } from '../../src/transport/memory.ts';
import { eventually } from './eventually.ts';
import { connect, nextGroup, TestPublisher, testRelay, track, watch } from './harness.ts';

/** An odd type that says 127 bytes and has none. */
const noPairs = Uint8Array.of(0x01, 0x7f);

describe('what one session brings does not end the others', () => {
  it.each(['moqt-16', 'moqt-18', 'moq-lite-05'])(
    'properties that are no pairs close their publisher (viewer: %s)',
    async (protocol) => {
      const relay = testRelay();
      const publisher = await TestPublisher.start(relay);
      const viewer = await watch(relay, protocol);
      await viewer.session.subscribe(track);
      const payload = new Uint8Array(4);
      const object = { objectId: 0, status: 'normal', properties: noPairs, payload } as const;
      publisher.open(1, { properties: true }).write(object);
      expect(await publisher.client.session.closed).toMatchObject({ by: 'peer', code: 0x6 });
      await eventually(() => expect(relay.stats()).toMatchObject({ sessions: 1, faults: 0 }));
      await relay.close();
    },
  );

  it('so do those of a datagram', async () => {
    const relay = testRelay();
    const publisher = await TestPublisher.start(relay);
    await (await watch(relay, 'moqt-16')).session.subscribe(track);
    const object = { objectId: 0, status: 'normal', properties: noPairs, payload: new Uint8Array(4) } as const;
    publisher.publications[0]!.sendDatagram({ groupId: 1, priority: 1, endOfGroup: false, object });
    expect(await publisher.client.session.closed).toMatchObject({ by: 'peer', code: 0x6 });
    await eventually(() => expect(relay.stats()).toMatchObject({ sessions: 1, faults: 0 }));
    await relay.close();
  });

  it('a name that is too long with the root of the relay is refused, and the next one is not', async () => {
    const root = ['ingest', 'org_a', 'lv_one'];
    const grant = { kind: 'both', root, publish: [everythingBelow(root)], subscribe: [everythingBelow(root)] } as const;
    const relay = testRelay(
      {},
      { authorise: async () => ({ ...grant, lapsed: () => undefined, watch: () => () => {} }) },
    );
    const { session } = await connect(relay, '/');
    const fields = (count: number) => Array.from({ length: count }, (_, i) => `f${i}`);
    const long = ['x'.repeat(4090)];
    for (const namespace of [fields(30), fields(32), long]) {
      await expect(session.publishNamespace(namespace)).rejects.toMatchObject({ requestCode: 0x3 });
      await expect(session.publish({ namespace, name: 't' }, { alias: 1 })).rejects.toMatchObject({ requestCode: 0x3 });
      await expect(session.subscribeNamespace(namespace)).rejects.toMatchObject({ requestCode: 0x3 });
      await expect(session.subscribeTracks(namespace)).rejects.toMatchObject({ requestCode: 0x3 });
      await expect(session.subscribe({ namespace, name: 't' })).rejects.toMatchObject({ requestCode: 0x3 });
    }
    await session.publishNamespace(fields(29));
    expect(relay.stats()).toMatchObject({ namespaces: 1, faults: 0 });
    await relay.close();
  });

  it.each(['moq-lite-04', 'moq-lite-05'])('group 2^53-1 gets to %s, and its end is said', async (protocol) => {
    const relay = testRelay({ publisherLingerMs: 50 });
    const publisher = await TestPublisher.start(relay);
    const viewer = await watch(relay, protocol);
    const subscription = await viewer.session.subscribe(track);
    await eventually(() => expect(publisher.publications.length).toBe(1));
    const groupId = Number.MAX_SAFE_INTEGER;
    const payload = Uint8Array.of(groupId % 256, 0);
    const writer = publisher.open(groupId);
    writer.write({ objectId: 0, status: 'normal', properties: undefined, payload });
    writer.finish();
    expect((await subscription.nextSubgroup())?.groupId).toBe(groupId);
    publisher.publications[0]!.done(2, '');
    expect((await subscription.done).by).toBe('publisher');
    expect(relay.stats()).toMatchObject({ faults: 0 });
    await relay.close();
  });
});

it.each(['moqt-16', 'moqt-18', 'moq-lite-04', 'moq-lite-05'])(
  'hop ids of 2^63 and above get to a viewer of %s, or are left out, and nobody is closed for them',
  async (protocol) => {
    const relay = testRelay();
    for (const hopId of [2n ** 63n, 2n ** 64n - 1n]) {
      const pair = memoryPair({ protocol: 'moqt-18', path: '/publish/lv_one' });
      void relay.serve(pair.server);
      const publisher = await establish(pair.client, { role: 'client', hopId });
      const viewer = await watch(relay, protocol);
      const list = await viewer.session.subscribeNamespace(track.namespace.slice(0, 2));
      await publisher.publishNamespace(track.namespace, [hopId, 1n]);
      expect(await list.next()).toMatchObject({ namespace: track.namespace, active: true });
      publisher.close(0, '');
      expect(await list.next()).toMatchObject({ namespace: track.namespace, active: false });
      viewer.session.close(0, '');
    }
    await eventually(() => expect(relay.stats()).toMatchObject({ sessions: 0, faults: 0 }));
    await relay.close();
  },
);

describe('the publishers of a namespace are asked one after the other', () => {
  it.each([
    ['refuses', (request: IncomingSubscribe) => request.reject(0x10, 'no such track')],
    ['does not answer', () => {}],
  ])('when the newest %s', async (_, answer) => {
    const relay = testRelay();
    const older = await TestPublisher.start(relay);
    const newer = await TestPublisher.start(relay, answer);
    const viewer = await watch(relay);
    const subscription = await viewer.session.subscribe(track);
    older.group(1, [10]);
    expect(await nextGroup(subscription)).toMatchObject({ group: 1, ids: [0], end: 'fin' });
    expect([newer.requests.length, older.requests.length]).toEqual([1, 1]);
    await relay.close();
  });

  it('the refusal of the newest is told when nobody has the track', async () => {
    const relay = testRelay();
    await TestPublisher.start(relay, (request) => request.reject(0x12, 'older'));
    await TestPublisher.start(relay, (request) => request.reject(0x10, 'newer'));
    const { session } = await watch(relay);
    await expect(session.subscribe(track)).rejects.toMatchObject({ requestCode: 0x10, reason: 'newer' });
    await relay.close();
  });
});

it('a viewer in whose version an object cannot be said loses that group only', async () => {
  const relay = testRelay();
  const publisher = await TestPublisher.start(relay);
  const [old, same] = [await watch(relay, 'moqt-16'), await watch(relay)];
  const [toOld, toSame] = [await old.session.subscribe(track), await same.session.subscribe(track)];
  // 16,383 pairs of two bytes in draft-18 whose values take two bytes each in draft-16.
  const properties = new Uint8Array(2 * 32_767);
  for (let at = 1; at < properties.length; at += 2) properties[at] = 0x7f;
  const writer = publisher.open(1, { properties: true });
  writer.write({ objectId: 0, status: 'normal', properties, payload: Uint8Array.of(1, 0) });
  writer.finish();
  publisher.group(2, [10]);
  expect((await (await toSame.nextSubgroup())!.next())?.properties?.length).toBe(properties.length);
  const groups: number[] = [];
  for (let next = await toOld.nextSubgroup(); next !== null; next = await toOld.nextSubgroup()) {
    groups.push(next.groupId);
    if (next.groupId === 2) break;
    next.stop(streamResetCodes.cancelled);
  }
  expect(groups.at(-1)).toBe(2);
  expect(relay.stats()).toMatchObject({ sessions: 3, faults: 0 });
  await relay.close();
});

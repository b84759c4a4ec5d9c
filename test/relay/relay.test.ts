import { afterEach, describe, expect, it } from 'vitest';
import { codes } from '../../src/codec/moqt/codes.ts';
import type { RelayLimits } from '../../src/relay/limits.ts';
import type { RelayCore } from '../../src/relay/relay.ts';
import type { SubscriptionFilter } from '../../src/session/types.ts';
import { eventually } from './eventually.ts';
import {
  connect,
  namespace,
  nextGroup,
  object,
  readSubgroup,
  TestPublisher,
  testRelay,
  track,
  watch,
} from './harness.ts';

let relay: RelayCore;
const start = (limits: Partial<RelayLimits> = {}): RelayCore => {
  relay = testRelay(limits);
  return relay;
};
afterEach(() => relay.close());

describe('fan-out', () => {
  it('subscribes upstream once for any number of viewers, who all get every byte', async () => {
    const publisher = await TestPublisher.start(start());
    const viewers = await Promise.all(Array.from({ length: 20 }, () => watch(relay)));
    const subscriptions = await Promise.all(viewers.map(({ session }) => session.subscribe(track)));
    expect(publisher.requests.length).toBe(1);
    expect(publisher.requests[0]?.track).toEqual(track);
    publisher.group(1, [10, 5000, 300]);
    publisher.group(2, [10]);
    for (const subscription of subscriptions) {
      expect(await nextGroup(subscription)).toEqual({ group: 1, ids: [0, 1, 2], end: 'fin', sizes: [10, 5000, 300] });
      expect(await nextGroup(subscription)).toMatchObject({ group: 2, ids: [0], end: 'fin' });
    }
    expect(relay.stats()).toMatchObject({
      subscriptions: 20,
      tracks: 1,
      objectsIn: 4,
      objectsOut: 80,
      objectsDropped: 0,
    });
  });

  it('passes header, properties, status and gaps on untouched', async () => {
    const publisher = await TestPublisher.start(start());
    const { session } = await watch(relay);
    const subscription = await session.subscribe(track);
    const writer = publisher.open(3, { properties: true });
    const properties = Uint8Array.of(2, 5);
    writer.write({ objectId: 4, status: 'normal', properties, payload: Uint8Array.of(1, 2) });
    writer.write({ objectId: 9, status: 'normal', properties: undefined, payload: new Uint8Array() });
    writer.write({ objectId: 10, status: 'endOfGroup', properties: undefined, payload: new Uint8Array() });
    writer.finish();
    const subgroup = await subscription.nextSubgroup();
    expect(subgroup).toMatchObject({
      groupId: 3,
      priority: 100,
      endOfGroup: true,
      properties: true,
      firstObject: true,
    });
    expect(await subgroup?.next()).toMatchObject({ objectId: 4, properties, payload: Uint8Array.of(1, 2) });
    expect(await subgroup?.next()).toMatchObject({ objectId: 9, status: 'normal' });
    expect(await subgroup?.next()).toMatchObject({ objectId: 10, status: 'endOfGroup' });
    expect(await subgroup?.next()).toBeNull();
  });

  it('gives up the upstream subscription some time after the last viewer left', async () => {
    const publisher = await TestPublisher.start(start({ subscriptionLingerMs: 30 }));
    const { session } = await watch(relay);
    const first = await session.subscribe(track);
    first.unsubscribe();
    const again = await session.subscribe(track);
    expect(publisher.requests.length).toBe(1);
    again.unsubscribe();
    await publisher.requests[0]!.cancelled;
    expect(relay.stats()).toMatchObject({ tracks: 0, subscriptions: 0, cacheBytes: 0 });
  });
});

describe('a late joiner', () => {
  const join = async (filter: SubscriptionFilter): Promise<{ publisher: TestPublisher; first: Promise<unknown> }> => {
    const publisher = await TestPublisher.start(start());
    const early = await (await watch(relay)).session.subscribe(track);
    publisher.group(5, [10, 20]);
    const open = publisher.open(6);
    for (const id of [0, 1, 2]) open.write(object(6, id));
    await nextGroup(early);
    await eventually(() => expect(relay.stats().objectsIn).toBe(5));
    const subscription = await (await watch(relay)).session.subscribe(track, { filter });
    expect(subscription.largest).toEqual({ group: 6, object: 2 });
    await eventually(() => expect(relay.stats().subscriptions).toBe(2));
    for (const id of [3, 4]) open.write(object(6, id));
    open.finish();
    publisher.group(7, [10]);
    return { publisher, first: nextGroup(subscription) };
  };

  it.each<[SubscriptionFilter, object]>([
    [{ type: 'unfiltered' }, { group: 6, ids: [0, 1, 2, 3, 4], end: 'fin' }],
    [{ type: 'largestObject' }, { group: 6, ids: [3, 4], end: 'fin' }],
    [{ type: 'nextGroup' }, { group: 7, ids: [0] }],
    [
      { type: 'absoluteStart', start: { group: 2, object: 3 } },
      { group: 6, ids: [0, 1, 2, 3, 4] },
    ],
    [
      { type: 'absoluteStart', start: { group: 6, object: 1 } },
      { group: 6, ids: [1, 2, 3, 4] },
    ],
    [
      { type: 'absoluteStart', start: { group: 6, object: 4 } },
      { group: 6, ids: [4] },
    ],
    [
      { type: 'absoluteStart', start: { group: 7, object: 0 } },
      { group: 7, ids: [0] },
    ],
  ])('%j', async (filter, expected) => {
    expect(await (await join(filter)).first).toMatchObject(expected);
  });

  it('of a range gets it and then the end; a range in the past is refused', async () => {
    const filter: SubscriptionFilter = { type: 'absoluteRange', start: { group: 6, object: 0 }, endGroup: 6 };
    const { first } = await join(filter);
    expect(await first).toMatchObject({ group: 6, ids: [0, 1, 2, 3, 4] });
    const { session } = await watch(relay);
    const past: SubscriptionFilter = { type: 'absoluteRange', start: { group: 1, object: 0 }, endGroup: 2 };
    await expect(session.subscribe(track, { filter: past })).rejects.toMatchObject({
      requestCode: codes.requestError.invalidRange,
    });
  });

  it('of a finished group gets it whole', async () => {
    const publisher = await TestPublisher.start(start());
    const early = await (await watch(relay)).session.subscribe(track);
    publisher.group(5, [10, 20, 30]);
    await nextGroup(early);
    const late = await (await watch(relay)).session.subscribe(track);
    expect(await nextGroup(late)).toEqual({ group: 5, ids: [0, 1, 2], end: 'fin', sizes: [10, 20, 30] });
  });

  it('ends with the range', async () => {
    const publisher = await TestPublisher.start(start());
    const filter: SubscriptionFilter = { type: 'absoluteRange', start: { group: 0, object: 0 }, endGroup: 1 };
    const subscription = await (await watch(relay)).session.subscribe(track, { filter });
    publisher.group(1, [10]);
    publisher.group(2, [10]);
    expect(await nextGroup(subscription)).toMatchObject({ group: 1 });
    expect(await subscription.done).toMatchObject({ by: 'publisher', status: codes.publishDone.subscriptionEnded });
    expect(await subscription.nextSubgroup()).toBeNull();
  });
});

describe('a slow viewer', () => {
  it('loses old groups, continues at the newest from its start, and costs others nothing', async () => {
    const size = 10_000;
    const publisher = await TestPublisher.start(start({ queueBytes: 60_000 }));
    const fast = await (await watch(relay)).session.subscribe(track);
    const slowClient = await connect(relay, '/playback/lv_one', { highWaterBytes: 20_000 });
    const slow = await slowClient.session.subscribe(track);
    const sizes = Array.from({ length: 10 }, () => size);
    for (let group = 1; group <= 20; group++) {
      publisher.group(group, sizes);
      // The other viewer has it whole while the slow one reads nothing.
      expect(await nextGroup(fast)).toMatchObject({ group, ids: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], end: 'fin' });
    }
    const stats = relay.stats();
    expect(stats.groupsDropped).toBeGreaterThanOrEqual(18);
    expect(stats.objectsDropped).toBeGreaterThan(100);
    const whole: number[] = [];
    for (;;) {
      const received = await nextGroup(slow);
      if (received.end === 'fin') {
        expect(received.ids).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        whole.push(received.group);
      }
      if (received.group === 20) break;
    }
    expect(whole).toContain(20);
    expect(whole.length).toBeLessThanOrEqual(3);
    publisher.group(21, sizes);
    expect(await nextGroup(slow)).toMatchObject({ group: 21, end: 'fin' });
  });

  it('that stalls has a bounded queue', async () => {
    const publisher = await TestPublisher.start(start({ queueBytes: 50_000, cacheBytes: 200_000 }));
    const highWaterBytes = 20_000;
    const stalled = await connect(relay, '/playback/lv_one', { highWaterBytes });
    await stalled.session.subscribe(track);
    // Groups that fit the queue of their stream: none is ever refused, only the sum counts.
    for (let group = 1; group <= 100; group++) {
      publisher.group(group, [5000, 5000]);
      await eventually(() => expect(relay.stats().objectsIn).toBe(group * 2));
    }
    const { bytesOut, groupsDropped, cacheBytes } = relay.stats();
    expect(groupsDropped).toBeGreaterThan(80);
    expect(cacheBytes).toBeLessThanOrEqual(210_000);
    expect(bytesOut).toBeGreaterThan(0);
  });

  it('within its budget gets everything, at its own pace', async () => {
    const publisher = await TestPublisher.start(start());
    const slow = await connect(relay, '/playback/lv_one', { highWaterBytes: 1000 });
    const subscription = await slow.session.subscribe(track);
    const ids = Array.from({ length: 50 }, (_, id) => id);
    publisher.group(
      1,
      ids.map(() => 2000),
    );
    publisher.group(2, [10]);
    await eventually(() => expect(relay.stats().objectsIn).toBe(51));
    expect(await nextGroup(subscription)).toMatchObject({ group: 1, ids, end: 'fin' });
    expect(await nextGroup(subscription)).toMatchObject({ group: 2, end: 'fin' });
    expect(relay.stats().objectsDropped).toBe(0);
  });

  it('loses a group that is late for too long, however small', async () => {
    const publisher = await TestPublisher.start(start({ queueAgeMs: 20 }));
    const slow = await connect(relay, '/playback/lv_one', { highWaterBytes: 100 });
    const subscription = await slow.session.subscribe(track);
    publisher.group(1, [100, 100, 100]);
    const newest = publisher.open(2);
    let id = 0;
    await eventually(() => {
      newest.write(object(2, id, 100));
      id++;
      expect(relay.stats().groupsDropped).toBe(1);
    });
    newest.finish();
    expect(await nextGroup(subscription)).toMatchObject({ group: 1, end: 'reset' });
    const whole = await nextGroup(subscription);
    expect(whole).toMatchObject({ group: 2, end: 'fin' });
    expect(whole.ids).toEqual(Array.from({ length: id }, (_, index) => index));
  });

  it('keeps a late group for as long as the subscription says', async () => {
    const publisher = await TestPublisher.start(start({ queueAgeMs: 20 }));
    const slow = await connect(relay, '/playback/lv_one', { highWaterBytes: 100 });
    const subscription = await slow.session.subscribe(track, { subgroupTimeoutMs: 60_000 });
    publisher.group(1, [100, 100, 100]);
    const newest = publisher.open(2);
    newest.write(object(2, 0, 100));
    await eventually(() => expect(relay.stats().objectsIn).toBe(4));
    await new Promise((resolve) => setTimeout(resolve, 40));
    newest.write(object(2, 1, 100));
    newest.finish();
    await eventually(() => expect(relay.stats().objectsIn).toBe(5));
    expect(await nextGroup(subscription)).toMatchObject({ group: 1, ids: [0, 1, 2], end: 'fin' });
    expect(await nextGroup(subscription)).toMatchObject({ group: 2, ids: [0, 1], end: 'fin' });
  });

  it('that stops a subgroup does not get it again', async () => {
    const publisher = await TestPublisher.start(start());
    const subscription = await (await watch(relay)).session.subscribe(track);
    const writer = publisher.open(1);
    writer.write(object(1, 0));
    const subgroup = await subscription.nextSubgroup();
    subgroup!.stop(codes.streamReset.cancelled);
    for (let id = 1; id < 20; id++) writer.write(object(1, id));
    publisher.group(2, [10]);
    expect(await nextGroup(subscription)).toMatchObject({ group: 2, ids: [0] });
  });
});

describe('a publisher', () => {
  it('that vanishes inside an object leaves a reset, never an end or a torn object', async () => {
    const publisher = await TestPublisher.start(start({ publisherLingerMs: 20 }));
    const subscription = await (await watch(relay)).session.subscribe(track);
    const writer = publisher.open(1);
    writer.write(object(1, 0, 100));
    const subgroup = (await subscription.nextSubgroup())!;
    expect(await subgroup.next()).toMatchObject({ objectId: 0 });
    // Object 1 says 1000 bytes; 10 of them arrive.
    writer.stream.write(Uint8Array.of(0, 0x83, 0xe8, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1));
    publisher.client.pair.drop();
    expect(await readSubgroup(subgroup)).toMatchObject({ ids: [], end: 'reset' });
    expect(await subscription.done).toMatchObject({ by: 'publisher', status: codes.publishDone.trackEnded });
    await eventually(() => expect(relay.stats()).toMatchObject({ tracks: 0, namespaces: 0, cacheBytes: 0 }));
  });

  it('that resets a subgroup resets it for viewers, with its code', async () => {
    const publisher = await TestPublisher.start(start());
    const subscription = await (await watch(relay)).session.subscribe(track);
    const writer = publisher.open(1);
    writer.write(object(1, 0));
    const subgroup = (await subscription.nextSubgroup())!;
    await subgroup.next();
    writer.reset(codes.streamReset.deliveryTimeout);
    await expect(subgroup.next()).rejects.toMatchObject({ resetCode: codes.streamReset.deliveryTimeout });
  });

  it('that comes back in time carries on without viewers noticing', async () => {
    const first = await TestPublisher.start(start());
    const subscription = await (await watch(relay)).session.subscribe(track);
    first.group(1, [10]);
    expect(await nextGroup(subscription)).toMatchObject({ group: 1 });
    first.client.pair.drop();
    await eventually(() => expect(relay.stats().namespaces).toBe(0));
    let refusals = 0;
    const second = await TestPublisher.start(relay, (request) => {
      // The engine is back before its track is.
      if (++refusals === 1) request.reject(codes.requestError.doesNotExist, 'not yet', 10);
      else second.publications.push(request.accept({ alias: 9 }));
    });
    await eventually(() => expect(second.publications.length).toBe(1));
    second.group(2, [10, 10]);
    expect(await nextGroup(subscription)).toMatchObject({ group: 2, ids: [0, 1], end: 'fin' });
  });

  it('that says the track has ended ends it for viewers, after the last object', async () => {
    const publisher = await TestPublisher.start(start());
    const subscription = await (await watch(relay)).session.subscribe(track);
    publisher.group(1, [10]);
    publisher.publications[0]!.done(codes.publishDone.trackEnded, 'finished');
    expect(await nextGroup(subscription)).toMatchObject({ group: 1, ids: [0], end: 'fin' });
    expect(await subscription.done).toEqual({
      by: 'publisher',
      status: codes.publishDone.trackEnded,
      reason: 'finished',
    });
  });

  it('that drops the subscription but not the namespace is asked again, without viewers noticing', async () => {
    const publisher = await TestPublisher.start(start());
    const subscription = await (await watch(relay)).session.subscribe(track);
    publisher.publications[0]!.done(codes.publishDone.internalError, 'hiccup');
    await eventually(() => expect(publisher.publications.length).toBe(2));
    publisher.group(1, [10]);
    expect(await nextGroup(subscription)).toMatchObject({ group: 1, end: 'fin' });
  });

  it('newer than another takes over; the older is its standby', async () => {
    const older = await TestPublisher.start(start());
    const subscription = await (await watch(relay)).session.subscribe(track);
    const half = older.open(1);
    half.write(object(1, 0));
    const subgroup = (await subscription.nextSubgroup())!;
    await subgroup.next();
    const newer = await TestPublisher.start(relay);
    await older.requests[0]!.cancelled;
    expect(await readSubgroup(subgroup)).toMatchObject({ ids: [], end: 'reset' });
    newer.group(2, [10]);
    expect(await nextGroup(subscription)).toMatchObject({ group: 2 });
    newer.client.session.close(0, 'bye');
    await eventually(() => expect(older.publications.length).toBe(2));
    older.group(3, [10]);
    expect(await nextGroup(subscription)).toMatchObject({ group: 3 });
  });

  it('that counts anew is followed at once, though its first ids are still kept', async () => {
    const first = await TestPublisher.start(start());
    const subscription = await (await watch(relay)).session.subscribe(track);
    for (let id = 0; id < 6; id++) first.group(id, [10]);
    for (let id = 0; id < 6; id++) expect(await nextGroup(subscription)).toMatchObject({ group: id });
    const second = await TestPublisher.start(relay);
    await first.requests[0]!.cancelled;
    for (let id = 0; id < 6; id++) second.group(id, [11, 20]);
    const groups = await Promise.all(Array.from({ length: 6 }, () => nextGroup(subscription)));
    expect(groups.map(({ group }) => group).toSorted()).toEqual([0, 1, 2, 3, 4, 5]);
    for (const group of groups) expect(group).toMatchObject({ ids: [0, 1], sizes: [11, 20], end: 'fin' });
  });

  it('with lower group ids than before is followed all the same', async () => {
    const first = await TestPublisher.start(start());
    const subscription = await (await watch(relay)).session.subscribe(track);
    first.group(100, [10]);
    expect(await nextGroup(subscription)).toMatchObject({ group: 100 });
    const second = await TestPublisher.start(relay);
    await first.requests[0]!.cancelled;
    second.group(3, [10]);
    second.group(4, [10]);
    expect(await nextGroup(subscription)).toMatchObject({ group: 3 });
    expect(await nextGroup(subscription)).toMatchObject({ group: 4 });
    const late = await (await watch(relay)).session.subscribe(track);
    expect(late.largest).toEqual({ group: 4, object: 0 });
    expect(await nextGroup(late)).toMatchObject({ group: 4 });
  });
});

describe('a subscription', () => {
  it('waits for its publisher as long as it asked for', async () => {
    const { session } = await watch(start());
    const waiting = session.subscribe(track, { rendezvousMs: 60_000 });
    const publisher = await TestPublisher.start(relay);
    const subscription = await waiting;
    publisher.group(1, [10]);
    expect(await nextGroup(subscription)).toMatchObject({ group: 1, ids: [0] });
  });

  it('is refused when nobody publishes, at once or when its time is up', async () => {
    const { session } = await watch(start());
    await expect(session.subscribe(track)).rejects.toMatchObject({
      requestCode: codes.requestError.doesNotExist,
      retryMs: 1000,
    });
    await expect(session.subscribe(track, { rendezvousMs: 10 })).rejects.toMatchObject({
      requestCode: codes.requestError.timeout,
      retryMs: 1000,
    });
  });

  it('gets the refusal of the publisher', async () => {
    await TestPublisher.start(start(), (request) => request.reject(codes.requestError.doesNotExist, 'no such track'));
    const { session } = await watch(relay);
    await expect(session.subscribe(track)).rejects.toMatchObject({
      requestCode: codes.requestError.doesNotExist,
      reason: 'no such track',
    });
    await eventually(() => expect(relay.stats().tracks).toBe(0));
  });

  it('is bounded in number', async () => {
    const { session } = await watch(start({ maxSubscriptionsPerSession: 2, maxHeldSubscriptions: 100 }));
    const held = ['a', 'b'].map((name) => session.subscribe({ namespace, name }, { rendezvousMs: 60_000 }));
    const ended = Promise.allSettled(held);
    await expect(session.subscribe({ namespace, name: 'c' })).rejects.toMatchObject({
      requestCode: codes.requestError.excessiveLoad,
    });
    session.close(0, 'bye');
    expect((await ended).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  it('outside the grant is refused, and so is announcing', async () => {
    const { session } = await watch(start());
    for (const other of [
      ['stream', 'org_a'],
      [...namespace, 'x'],
      ['stream', 'org_a', 'lv_two'],
      ['stream/org_a/lv_one'],
    ]) {
      await expect(session.subscribe({ namespace: other, name: 'x' })).rejects.toMatchObject({
        requestCode: codes.requestError.unauthorized,
      });
    }
    await expect(session.publishNamespace(namespace)).rejects.toMatchObject({
      requestCode: codes.requestError.unauthorized,
    });
    const publisher = await TestPublisher.start(relay);
    await expect(publisher.client.session.publishNamespace(['stream', 'org_a', 'lv_two'])).rejects.toMatchObject({
      requestCode: codes.requestError.unauthorized,
    });
    await expect(publisher.client.session.subscribe(track)).rejects.toMatchObject({
      requestCode: codes.requestError.unauthorized,
    });
  });
});

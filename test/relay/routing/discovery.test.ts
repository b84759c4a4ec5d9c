import { afterEach, describe, expect, it } from 'vitest';
import type { Authoriser } from '../../../src/access/grant.ts';
import { codes } from '../../../src/codec/moqt/codes.ts';
import type { RelayLimits } from '../../../src/relay/limits.ts';
import type { RelayCore } from '../../../src/relay/relay.ts';
import type { IncomingPublish, Publication, Subscription } from '../../../src/session/types.ts';
import { eventually } from '../eventually.ts';
import {
  connect,
  namespace,
  nextGroup,
  object,
  openAuthoriser,
  TestPublisher,
  testRelay,
  track,
  watch,
} from '../harness.ts';

let relay: RelayCore;
const start = (limits: Partial<RelayLimits> = {}, authoriser?: Authoriser): RelayCore => {
  relay = testRelay(limits, authoriser);
  return relay;
};
afterEach(() => relay.close());

const prefix = namespace.slice(0, 2);
const there = { namespace, active: true };
const gone = { namespace, active: false };

describe('SUBSCRIBE_NAMESPACE at the relay', () => {
  it('tells what is announced now, and what comes and goes', async () => {
    const first = await TestPublisher.start(start());
    const { session } = await watch(relay);
    const list = await session.subscribeNamespace(prefix);
    expect(await list.next()).toEqual(there);
    first.announced.withdraw();
    expect(await list.next()).toEqual(gone);
    await first.client.session.publishNamespace(namespace);
    expect(await list.next()).toEqual(there);
  });

  it('tells of two publishers as of one; a namespace is gone with the session of the last', async () => {
    const first = await TestPublisher.start(start());
    const second = await TestPublisher.start(relay);
    const { session } = await watch(relay);
    const list = await session.subscribeNamespace(namespace);
    expect(await list.next()).toEqual(there);
    first.client.pair.drop();
    await eventually(() => expect(relay.stats().publishers).toBe(1));
    second.client.pair.drop();
    expect(await list.next()).toEqual(gone);
  });

  it('tells nobody of what is not his', async () => {
    await TestPublisher.start(start());
    const { session } = await connect(relay, '/playback/lv_two');
    const list = await session.subscribeNamespace([]);
    const other = await connect(relay, '/publish/lv_two');
    await other.session.publishNamespace(['stream', 'org_a', 'lv_two']);
    expect(await list.next()).toEqual({ namespace: ['stream', 'org_a', 'lv_two'], active: true });
    await expect(session.subscribeNamespace(['elsewhere'])).rejects.toMatchObject({ requestCode: 0x30 });
    list.cancel();
    await expect(session.subscribeNamespace(['elsewhere'])).rejects.toMatchObject({ requestCode: 0x1 });
  });

  it('echoes to a publisher what it published itself', async () => {
    const publisher = await TestPublisher.start(start());
    const list = await publisher.client.session.subscribeNamespace(prefix);
    expect(await list.next()).toEqual(there);
  });

  it('of more than the relay likes to list is refused', async () => {
    await TestPublisher.start(start({ maxNamespacesPerRequest: 0 }));
    const { session } = await watch(relay);
    await expect(session.subscribeNamespace(prefix)).rejects.toMatchObject({
      requestCode: codes.requestError.namespaceTooLarge,
    });
  });

  it('of a session with a root speaks of what follows it', async () => {
    const authoriser: Authoriser = {
      async authorise(request) {
        const grant = await openAuthoriser.authorise(request);
        return request.path.startsWith('/playback') ? { ...grant, root: ['stream'] } : grant;
      },
    };
    await TestPublisher.start(start({}, authoriser));
    const list = await (await watch(relay)).session.subscribeNamespace(['org_a']);
    expect(await list.next()).toEqual({ namespace: ['org_a', 'lv_one'], active: true });
  });
});

describe('TRACK_STATUS at the relay', () => {
  it('of a track that is watched tells its largest location; of another it asks the publisher', async () => {
    const publisher = await TestPublisher.start(start({ subscriptionLingerMs: 10 }), (request) => {
      publisher.publications.push(
        request.accept({ alias: 7, largest: { group: 4, object: 2 }, trackProperties: Uint8Array.of(2, 5) }),
      );
    });
    const { session } = await watch(relay);
    expect(await session.trackStatus(track)).toEqual({
      largest: { group: 4, object: 2 },
      expiresMs: undefined,
      trackProperties: Uint8Array.of(2, 5),
    });
    expect(relay.stats().subscriptions).toBe(0);
    await publisher.requests[0]!.cancelled;
    await session.subscribe(track);
    publisher.group(6, [10, 10]);
    await eventually(async () =>
      expect(await session.trackStatus(track)).toMatchObject({ largest: { group: 6, object: 1 } }),
    );
  });

  it('is refused like a subscription', async () => {
    const { session } = await watch(start());
    await expect(session.trackStatus(track)).rejects.toMatchObject({ requestCode: 0x10 });
    const other = { namespace: ['stream', 'org_a', 'lv_two'], name: 'a' };
    await expect(session.trackStatus(other)).rejects.toMatchObject({ requestCode: 0x1 });
    await TestPublisher.start(relay, (request) => request.reject(0x12, 'malformed'));
    await expect(session.trackStatus(track)).rejects.toMatchObject({ requestCode: 0x12, reason: 'malformed' });
  });
});

/** Offers `track` on a connection of its own. */
async function offering(): Promise<{ publication: Publication; client: Awaited<ReturnType<typeof connect>> }> {
  const client = await connect(relay, '/publish/lv_one');
  const publication = await client.session.publish(track, { alias: 4, trackProperties: Uint8Array.of(2, 5) });
  return { publication, client };
}

function group(publication: Publication, groupId: number, sizes: number[]): void {
  const writer = publication.openSubgroup({ groupId, subgroupId: 0, priority: 9, endOfGroup: true, firstObject: true });
  for (const [objectId, size] of sizes.entries()) writer.write(object(groupId, objectId, size));
  writer.finish();
}

describe('PUBLISH at the relay', () => {
  it('makes the track available to viewers, and sends nothing while nobody watches', async () => {
    start({ subscriptionLingerMs: 10 });
    const { publication } = await offering();
    expect(publication.terms.forward).toBe(false);
    const { session } = await watch(relay);
    const first = await session.subscribe(track);
    expect(first.trackProperties).toEqual(Uint8Array.of(2, 5));
    expect(publication.terms.forward).toBe(true);
    group(publication, 1, [10, 20]);
    expect(await nextGroup(first)).toMatchObject({ group: 1, ids: [0, 1], end: 'fin' });
    first.unsubscribe();
    await eventually(() => expect(publication.terms.forward).toBe(false));
    const second = await session.subscribe(track);
    expect(second.largest).toEqual({ group: 1, object: 1 });
    group(publication, 2, [10]);
    expect(await nextGroup(second)).toMatchObject({ group: 2, ids: [0] });
  });

  it('answers who already waits for the track', async () => {
    const { session } = await watch(start());
    const waiting = session.subscribe(track, { rendezvousMs: 5000 });
    const other = session.subscribe({ ...track, name: 'other' }, { rendezvousMs: 50 });
    await new Promise((resolve) => setTimeout(resolve, 5));
    const { publication } = await offering();
    const subscription = await waiting;
    group(publication, 1, [10]);
    expect(await nextGroup(subscription)).toMatchObject({ group: 1 });
    await expect(other).rejects.toMatchObject({ requestCode: codes.requestError.timeout });
  });

  it('ends the viewers when it ends', async () => {
    start();
    const { publication } = await offering();
    const subscription = await (await watch(relay)).session.subscribe(track);
    group(publication, 1, [10]);
    expect(await nextGroup(subscription)).toMatchObject({ group: 1 });
    publication.done(codes.publishDone.trackEnded, 'bye');
    expect(await subscription.done).toMatchObject({ by: 'publisher', status: codes.publishDone.trackEnded });
    await eventually(() => expect(relay.stats().tracks).toBe(0));
  });

  it('of a publisher that vanished is continued by another', async () => {
    start();
    const first = await offering();
    const subscription = await (await watch(relay)).session.subscribe(track);
    group(first.publication, 1, [10]);
    expect(await nextGroup(subscription)).toMatchObject({ group: 1 });
    first.client.pair.drop();
    const second = await offering();
    await eventually(() => expect(second.publication.terms.forward).toBe(true));
    group(second.publication, 2, [10]);
    expect(await nextGroup(subscription)).toMatchObject({ group: 2 });
  });

  it('is refused to who may not publish, and beyond a number', async () => {
    const { session } = await watch(start({ maxOffersPerSession: 1 }));
    await expect(session.publish(track, { alias: 1 })).rejects.toMatchObject({ requestCode: 0x1 });
    const { client } = await offering();
    await expect(client.session.publish({ ...track, name: 'b' }, { alias: 5 })).rejects.toMatchObject({
      requestCode: codes.requestError.excessiveLoad,
    });
  });
});

describe('SUBSCRIBE_TRACKS at the relay', () => {
  async function follower(forward?: boolean) {
    const offers: IncomingPublish[] = [];
    const subscriptions: Subscription[] = [];
    const client = await connect(relay, '/playback/lv_one', {
      publish(offer) {
        offers.push(offer);
        subscriptions.push(offer.accept());
      },
    });
    const list = await client.session.subscribeTracks(prefix, forward === undefined ? {} : { forward });
    return { ...client, offers, subscriptions, list };
  }

  it('offers the tracks that are there and those that come', async () => {
    start();
    const first = await offering();
    const viewer = await follower();
    await eventually(() => expect(viewer.subscriptions).toHaveLength(1));
    expect(viewer.offers[0]).toMatchObject({ track, forward: true, trackProperties: Uint8Array.of(2, 5) });
    await eventually(() => expect(relay.stats().subscriptions).toBe(1));
    group(first.publication, 3, [10, 20]);
    expect(await nextGroup(viewer.subscriptions[0]!)).toMatchObject({ group: 3, ids: [0, 1], end: 'fin' });
    await first.client.session.publish({ ...track, name: 'audio' }, { alias: 5 });
    await eventually(() => expect(viewer.offers.map((offer) => offer.track.name)).toEqual([track.name, 'audio']));
    first.publication.done(codes.publishDone.trackEnded, '');
    expect(await viewer.subscriptions[0]!.done).toMatchObject({ status: codes.publishDone.trackEnded });
  });

  it('a track that ended before its offer was answered ends at once, and takes no room', async () => {
    start({ maxSubscriptionsPerSession: 1 });
    const first = await offering();
    const offers: IncomingPublish[] = [];
    const viewer = await connect(relay, '/playback/lv_one', { publish: (offer) => void offers.push(offer) });
    await viewer.session.subscribeTracks(prefix);
    await eventually(() => expect(offers).toHaveLength(1));
    first.publication.done(codes.publishDone.trackEnded, 'bye');
    await eventually(() => expect(relay.stats().tracks).toBe(0));
    const subscription = offers[0]!.accept();
    expect(await subscription.done).toMatchObject({ by: 'publisher', status: codes.publishDone.trackEnded });
    await eventually(() => expect(relay.stats()).toMatchObject({ tracks: 0, subscriptions: 0, faults: 0 }));
    // The only subscription that the session may have is free again.
    await first.client.session.publish({ ...track, name: 'audio' }, { alias: 5 });
    await eventually(() => expect(offers).toHaveLength(2));
  });

  it('does not offer a session its own tracks, nor one it is subscribed to already', async () => {
    start();
    const { client } = await offering();
    const own = await client.session.subscribeTracks(prefix);
    const viewer = await connect(relay, '/playback/lv_one', { publish: () => expect.unreachable() });
    await viewer.session.subscribe(track);
    await viewer.session.subscribeTracks(prefix);
    await client.session.publish({ ...track, namespace: [...namespace], name: 'z' }, { alias: 8 }).catch(() => {});
    own.cancel();
  });

  it('is part of what asks for namespaces in draft-14 (9.28), and over with it', async () => {
    start();
    const first = await offering();
    const offers: IncomingPublish[] = [];
    const publish = (offer: IncomingPublish) => void offers.push(offer);
    const viewer = await connect(relay, '/playback/lv_one', { protocol: 'moq-00', publish });
    const list = await viewer.session.subscribeNamespace(prefix);
    await eventually(() => expect(offers).toMatchObject([{ track }]));
    const subscription = offers[0]!.accept();
    await eventually(() => expect(relay.stats().subscriptions).toBe(1));
    group(first.publication, 3, [10]);
    expect(await nextGroup(subscription)).toMatchObject({ group: 3, ids: [0] });
    list.cancel();
    await expect(viewer.session.trackStatus({ ...track, name: 'none' })).rejects.toBeDefined();
    await first.client.session.publish({ ...track, name: 'audio' }, { alias: 5 });
    await viewer.session.trackStatus({ ...track, name: 'audio' });
    expect(offers).toHaveLength(1);
  });

  it('says what is blocked when the session has no subscription left', async () => {
    start({ maxSubscriptionsPerSession: 0 });
    await offering();
    const viewer = await follower();
    expect(await viewer.list.next()).toEqual(track);
    expect(viewer.offers).toEqual([]);
  });
});

describe('REQUEST_UPDATE at the relay', () => {
  it('pauses and resumes behind what was there; a joining fetch brings the rest', async () => {
    const publisher = await TestPublisher.start(start());
    const keeper = await (await watch(relay)).session.subscribe(track);
    const { session } = await watch(relay);
    const paused = await session.subscribe(track, { forward: false });
    const open = publisher.open(1);
    open.write(object(1, 0));
    open.write(object(1, 1));
    await keeper.nextSubgroup();
    await eventually(() => expect(relay.stats().objectsIn).toBe(2));
    expect(await paused.update({ forward: true })).toEqual({ largest: { group: 1, object: 1 } });
    open.write(object(1, 2));
    open.finish();
    expect(await nextGroup(paused)).toMatchObject({ group: 1, ids: [2], end: 'fin' });
    const fetched = await session.fetch({ joining: paused, groupsBefore: 0 });
    expect(fetched.end).toEqual({ group: 1, object: 2 });
    await paused.update({ forward: false });
    publisher.group(2, [10]);
    await eventually(() => expect(relay.stats().objectsIn).toBe(4));
    await paused.update({ forward: true });
    publisher.group(3, [10]);
    expect(await nextGroup(paused)).toMatchObject({ group: 3 });
  });

  it('changes the filter; a range in the past ends the subscription with UPDATE_FAILED', async () => {
    const publisher = await TestPublisher.start(start());
    const subscription = await (await watch(relay)).session.subscribe(track);
    publisher.group(1, [10]);
    expect(await nextGroup(subscription)).toMatchObject({ group: 1 });
    await subscription.update({ filter: { type: 'absoluteStart', start: { group: 3, object: 1 } } });
    publisher.group(2, [10]);
    publisher.group(3, [10, 10]);
    expect(await nextGroup(subscription)).toMatchObject({ group: 3, ids: [1] });
    const past = { type: 'absoluteRange', start: { group: 0, object: 0 }, endGroup: 1 } as const;
    await expect(subscription.update({ filter: past })).rejects.toMatchObject({
      requestCode: codes.requestError.invalidRange,
    });
    expect(await subscription.done).toMatchObject({ status: codes.publishDone.updateFailed });
    await eventually(() => expect(relay.stats().subscriptions).toBe(0));
  });
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { publishDoneCodes } from '../../../src/codec/moqt/codes.ts';
import { utf8 } from '../../../src/core/bytes.ts';
import type { RelayCore } from '../../../src/relay/relay.ts';
import type { Session } from '../../../src/session/types.ts';
import { node } from '../cluster/mesh.ts';
import { eventually } from '../eventually.ts';
import { both, client, namespace, Source, subscribed, track } from '../named-source.ts';

const protocol = 'moqt-18';
let relay: RelayCore;
let viewer: Session;
let before: Source;
let watching: Awaited<ReturnType<typeof subscribed>>;

beforeEach(async () => {
  relay = node(1n, { publisherLingerMs: 5000 });
  before = await Source.start('old', relay, protocol);
  viewer = (await client(relay, protocol)).session;
  watching = await subscribed(viewer);
  for (const group of [0, 1, 2]) before.send(group);
  await eventually(() => expect(watching.seen).toContain('old 2.1'));
});
afterEach(() => relay.close());

/** Another publisher has the namespace now, and was asked for the track. */
async function replaced(name = 'new'): Promise<Source> {
  const after = await Source.start(name, relay, protocol);
  await after.read();
  return after;
}

const newcomer = async (options = {}, version = protocol) =>
  subscribed((await client(relay, version)).session, options);
const since = (seen: string[]): string[] => seen.slice(seen.indexOf('old 2.1') + 1);

describe('a publisher that takes over', () => {
  it('with the same objects goes on behind them, and nothing is sent twice', async () => {
    const after = await replaced('old');
    after.send(2);
    after.send(3);
    await eventually(() => expect(since(watching.seen)).toEqual(both('old', 3)));
    const { seen } = await newcomer();
    await eventually(() => expect(seen).toEqual(both('old', 3)));
    // What came before the takeover is still there.
    const fetched = await viewer.fetch({ track, start: { group: 1, object: 0 }, end: { group: 1, object: 1 } });
    expect(await fetched.next()).toMatchObject({ object: { payload: utf8('old 1.0') } });
  });

  it('with the last object once more goes on too: newcomers have it at once', async () => {
    const after = await replaced('old');
    after.send(2);
    const { subscription, seen } = await newcomer();
    expect(subscription.largest).toEqual({ group: 2, object: 1 });
    await eventually(() => expect(seen).toEqual(both('old', 2)));
    expect(since(watching.seen)).toEqual([]);
  });

  it('with later groups goes on, whatever they are', async () => {
    const after = await replaced();
    after.send(700);
    await eventually(() => expect(since(watching.seen)).toEqual(both('new', 700)));
    expect((await newcomer()).subscription.largest).toEqual({ group: 700, object: 1 });
  });

  it('and begins with an object that was there before, but no more, starts over with it', async () => {
    const after = await replaced();
    after.send(2, ['old 2.0', 'new 2.1', 'new 2.2']);
    const expected = ['old 2.0', 'new 2.1', 'new 2.2'];
    await eventually(() => expect(since(watching.seen)).toEqual(expected));
    const { seen } = await newcomer();
    await eventually(() => expect(seen).toEqual(expected));
  });

  it('shows newcomers what it has, not what was before it', async () => {
    before.drop();
    await eventually(() => expect(relay.stats().namespaces).toBe(0));
    const after = await replaced();
    const waiting = newcomer();
    const status = viewer.trackStatus(track);
    const fetching = viewer.fetch({ track, start: { group: 2, object: 0 }, end: { group: 2, object: 0 } });
    fetching.catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 50));
    after.send(0);
    const { subscription, seen } = await waiting;
    expect(subscription.largest).toEqual({ group: 0, object: 0 });
    await eventually(() => expect(seen).toEqual(both('new', 0)));
    expect((await status).largest).toEqual({ group: 0, object: 0 });
    await expect(fetching).rejects.toMatchObject({ name: 'RequestError' });
  });

  it('and is silent keeps newcomers waiting for a second; they see nothing that is not its own', async () => {
    const after = await replaced();
    const { subscription, seen } = await newcomer();
    expect(subscription.largest).toBeUndefined();
    const fetching = viewer.fetch({ track, start: { group: 1, object: 0 }, end: { group: 1, object: 0 } });
    await expect(fetching).rejects.toMatchObject({ name: 'RequestError' });
    const lite = await newcomer({}, 'moq-lite-05');
    after.send(0);
    await eventually(() => expect(seen).toEqual(both('new', 0)));
    await eventually(() => expect(lite.seen).toEqual(both('new', 0)));
  });

  // @moq/publish ends a track that it is asked for before its encoder is set up, and begins it again.
  it('is not asked for a track that nobody watches any more', async () => {
    watching.subscription.unsubscribe();
    await eventually(() => expect(relay.stats().subscriptions).toBe(0));
    const after = await Source.start('new', relay, protocol);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(after.publications).toHaveLength(0);
    const coming = newcomer();
    await after.read();
    after.send(0);
    await eventually(async () => expect((await coming).seen).toEqual(both('new', 0)));
  });

  it('and does not have the track leaves it to the one before', async () => {
    const other = await client(relay, protocol, { subscribe: (request) => request.reject(0x10, 'no such track') });
    await other.session.publishNamespace(namespace);
    before.send(3);
    const { seen } = await newcomer();
    await eventually(() => expect(seen).toEqual(both('old', 3)));
  });

  it('and whose datagrams begin anew starts over too', async () => {
    const after = await replaced();
    const object = { objectId: 0, status: 'normal', properties: undefined, payload: utf8('new') } as const;
    after.publications[0]!.sendDatagram({ groupId: 1, priority: 5, endOfGroup: false, object });
    expect((await watching.subscription.nextDatagram())?.object.payload).toEqual(utf8('new'));
    const { subscription } = await newcomer();
    expect(subscription.largest).toEqual({ group: 1, object: 0 });
    expect((await subscription.nextDatagram())?.object.payload).toEqual(utf8('new'));
  });
});

describe('when a publisher starts over', () => {
  it('who waits for the next group gets the next there is; who named groups is told that they are gone', async () => {
    const next = await newcomer({ filter: { type: 'nextGroup' } });
    const named = await newcomer({ filter: { type: 'absoluteStart', start: { group: 2, object: 1 } } });
    await eventually(() => expect(named.seen).toEqual(['old 2.1']));
    const after = await replaced();
    after.send(0);
    await eventually(() => expect(next.seen).toEqual(both('new', 0)));
    expect(await named.subscription.done).toMatchObject({ by: 'publisher', status: publishDoneCodes.trackEnded });
    expect(named.seen).toEqual(['old 2.1']);
  });

  it('and goes, the one before it goes on', async () => {
    const after = await replaced();
    after.send(0);
    await eventually(() => expect(watching.seen).toContain('new 0.1'));
    after.drop();
    await eventually(() => expect(before.publications).toHaveLength(2));
    before.send(3);
    await eventually(() => expect(watching.seen.slice(-2)).toEqual(both('old', 3)));
    const { seen } = await newcomer();
    await eventually(() => expect(seen).toEqual(both('old', 3)));
  });

  it.each(['moqt-18', 'moqt-16', 'moq-lite-04'])(
    'who follows namespaces in %s hears of another publisher',
    async (version) => {
      const { session } = await client(relay, version);
      const list = await session.subscribeNamespace([]);
      expect(await list.next()).toMatchObject({ namespace, active: true });
      await replaced();
      expect(await list.next()).toMatchObject({ namespace, active: false });
      expect(await list.next()).toMatchObject({ namespace, active: true });
    },
  );
});

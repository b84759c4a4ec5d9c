import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RelayCore } from '../../../src/relay/relay.ts';
import type { IncomingSubscribe, Publication, Session } from '../../../src/session/types.ts';
import { eventually } from '../eventually.ts';
import { connect, nextGroup, object } from '../harness.ts';
import { type Link, link, node, orders } from './mesh.ts';

const names = ['a', 'b', 'c'] as const;
type Name = (typeof names)[number];
const namespace = ['demo', 'room'];
const track = { namespace, name: 'video' };

type Ring = { readonly relays: Record<Name, RelayCore>; readonly links: Map<string, Link> };
let open: Ring | undefined;
/** Of the links. */
let protocol: string;

function ring(limits = { publisherLingerMs: 150 }): Ring {
  const relays = { a: node(11n, limits), b: node(22n, limits), c: node(33n, limits) };
  open = { relays, links: new Map() };
  for (const pair of ['ab', 'bc', 'ca']) join(pair);
  return open;
}

function join(pair: string, cost?: number): void {
  const { relays, links } = open!;
  const [from, to] = [...pair] as [Name, Name];
  links.set(pair, link(relays[from], relays[to], protocol, cost));
}

async function cut(pair: string): Promise<void> {
  const { links } = open!;
  const gone = links.get(pair)!;
  links.delete(pair);
  gone.cut();
  await gone.over;
}

afterEach(async () => {
  if (open !== undefined) await Promise.all(names.map((name) => open!.relays[name].close()));
  open = undefined;
});

/** Relays that links join to `a`. */
function reached(): Set<Name> {
  const found = new Set<Name>(['a']);
  for (let round = 0; round < names.length; round++) {
    for (const pair of open!.links.keys()) {
      const [x, y] = [...pair] as [Name, Name];
      if (found.has(x)) found.add(y);
      else if (found.has(y)) found.add(x);
    }
  }
  return found;
}

async function listed(expected: ReadonlySet<Name>): Promise<void> {
  await eventually(() => {
    const lists = names.filter((name) => open!.relays[name].namespaces().length > 0);
    expect(lists).toEqual(names.filter((name) => expected.has(name)));
  });
}

type Source = { session: Session; requests: IncomingSubscribe[]; publications: Publication[]; drop(): void };

async function publish(relay: RelayCore): Promise<Source> {
  const requests: IncomingSubscribe[] = [];
  const publications: Publication[] = [];
  const { session, pair } = await connect(relay, '/', {
    subscribe(request) {
      requests.push(request);
      publications.push(request.accept({ alias: requests.length }));
    },
  });
  await session.publishNamespace(namespace);
  return { session, requests, publications, drop: () => pair.drop() };
}

function send(source: Source, groupId: number): void {
  const publication = source.publications.at(-1)!;
  const writer = publication.openSubgroup({ groupId, subgroupId: 0, priority: 9, endOfGroup: true, firstObject: true });
  writer.write(object(groupId, 0));
  writer.write(object(groupId, 1));
  writer.finish();
}

const whole = (group: number) => ({ group, ids: [0, 1], end: 'fin' });

describe.each(['moqt-18', 'moq-lite-05'])('three relays in a ring of %s', (version) => {
  beforeEach(() => {
    protocol = version;
  });

  it('know what is published at one of them, each once, and are told when it is withdrawn', async () => {
    const { relays } = ring();
    const source = await publish(relays.a);
    await listed(new Set(names));
    for (const name of names) expect(relays[name].namespaces()).toEqual([namespace]);
    expect(names.map((name) => relays[name].stats().peers)).toEqual([2, 2, 2]);
    source.drop();
    await listed(new Set());
  });

  it('pull a track once for all viewers of a relay, and let go of it after them', async () => {
    const { relays } = ring({ publisherLingerMs: 150, ...{ subscriptionLingerMs: 20 } });
    const source = await publish(relays.a);
    await listed(new Set(names));
    for (const name of ['b', 'c'] as const) {
      await eventually(() => expect(relays[name].router.routeOf(namespace)?.route?.hops.at(-1)).toBe(11n));
    }
    const viewers = await Promise.all([connect(relays.b, '/'), connect(relays.b, '/'), connect(relays.c, '/')]);
    const subscriptions = [];
    for (const { session } of viewers) subscriptions.push(await session.subscribe(track));
    expect(source.requests).toHaveLength(1);
    // One for relay b, one for relay c: nobody goes the long way round.
    await eventually(() => expect(relays.a.stats().subscriptions).toBe(2));
    expect(relays.b.stats().subscriptions).toBe(2);
    send(source, 1);
    for (const subscription of subscriptions) expect(await nextGroup(subscription)).toMatchObject(whole(1));
    for (const subscription of subscriptions) subscription.unsubscribe();
    await source.requests[0]!.cancelled;
    for (const name of names) expect(relays[name].stats().subscriptions).toBe(0);
  });

  // Whatever fails in whatever order: a relay lists the namespace as long as a way leads to its publisher, and no longer.
  it.each(orders(['publisher', 'ab', 'bc', 'ca']).map((order) => ({ order, title: order.join(', ') })))(
    'keep no ghost when these go: $title',
    async ({ order }) => {
      const { relays } = ring();
      const source = await publish(relays.a);
      await listed(new Set(names));
      const viewer = await connect(relays.c, '/');
      const subscription = await viewer.session.subscribe(track);
      let isPublished = true;
      for (const what of order) {
        if (what === 'publisher') {
          source.drop();
          isPublished = false;
        } else await cut(what);
        await listed(isPublished ? reached() : new Set());
      }
      expect((await subscription.done).by).toBe('publisher');
      for (const pair of order) if (pair !== 'publisher') join(pair);
      await eventually(() => expect(names.map((name) => relays[name].stats().peers)).toEqual([2, 2, 2]));
      await listed(new Set());
      const back = await publish(relays.a);
      await listed(new Set(names));
      const again = await viewer.session.subscribe(track);
      send(back, 5);
      expect(await nextGroup(again)).toMatchObject(whole(5));
    },
  );

  it('go the long way round where it is cheaper, and back when it is not', async () => {
    const { relays } = ring({ publisherLingerMs: 3000 });
    await cut('ca');
    join('ca', 5);
    const source = await publish(relays.a);
    await listed(new Set(names));
    const hops = () => relays.c.router.routeOf(namespace)?.route?.hops.slice(1);
    await eventually(() => expect(hops()).toEqual([11n, 22n]));
    const { session } = await connect(relays.c, '/');
    const subscription = await session.subscribe(track);
    send(source, 1);
    expect(await nextGroup(subscription)).toMatchObject(whole(1));
    expect(relays.b.stats().subscriptions).toBe(1);
    await cut('bc');
    await eventually(() => expect(hops()).toEqual([11n]));
    await eventually(() => expect(relays.b.stats().subscriptions).toBe(0));
    await eventually(() => expect(relays.a.stats().subscriptions).toBe(1));
    send(source, 2);
    expect(await nextGroup(subscription)).toMatchObject({ group: 2 });
    join('bc');
    await eventually(() => expect(hops()).toEqual([11n, 22n]));
  });

  it('carry on by the other way when the link in use is cut; viewers do not notice', async () => {
    const { relays } = ring({ publisherLingerMs: 3000 });
    const source = await publish(relays.a);
    await listed(new Set(names));
    const { session } = await connect(relays.c, '/');
    const subscription = await session.subscribe(track);
    send(source, 1);
    expect(await nextGroup(subscription)).toMatchObject(whole(1));
    await cut('ca');
    await eventually(() => expect(relays.b.stats().subscriptions).toBe(1));
    await eventually(() => expect(relays.a.stats().subscriptions).toBe(1));
    send(source, 2);
    expect(await nextGroup(subscription)).toMatchObject({ group: 2 });
    expect(source.requests).toHaveLength(1);
    // The short way is back: what is under way stays where it is, new tracks take it.
    join('ca');
    await eventually(() => expect(relays.c.router.routeOf(namespace)?.route?.hops).toHaveLength(2));
    const other = await session.subscribe({ ...track, name: 'audio' });
    await eventually(() => expect(relays.a.stats().subscriptions).toBe(2));
    expect(relays.b.stats().subscriptions).toBe(1);
    other.unsubscribe();
  });

  it('prefer what is published here, and fall back on what is elsewhere', async () => {
    const { relays } = ring({ publisherLingerMs: 3000 });
    const there = await publish(relays.a);
    await listed(new Set(names));
    const { session } = await connect(relays.c, '/');
    const subscription = await session.subscribe(track);
    send(there, 1);
    expect(await nextGroup(subscription)).toMatchObject(whole(1));
    const here = await publish(relays.c);
    await eventually(() => expect(here.publications).toHaveLength(1));
    send(here, 2);
    expect(await nextGroup(subscription)).toMatchObject(whole(2));
    here.drop();
    await eventually(() => expect(relays.a.stats().subscriptions).toBe(1));
    await eventually(() => expect(there.requests).toHaveLength(1));
    send(there, 3);
    expect(await nextGroup(subscription)).toMatchObject(whole(3));
  });

  it('wait together for a publisher that comes back: viewers do not notice', async () => {
    const { relays } = ring({ publisherLingerMs: 3000 });
    const before = await publish(relays.a);
    await listed(new Set(names));
    const { session } = await connect(relays.c, '/');
    const subscription = await session.subscribe(track);
    send(before, 1);
    expect(await nextGroup(subscription)).toMatchObject(whole(1));
    before.drop();
    await listed(new Set());
    const back = await publish(relays.a);
    await listed(new Set(names));
    await eventually(() => expect(back.publications).toHaveLength(1));
    send(back, 2);
    expect(await nextGroup(subscription)).toMatchObject(whole(2));
    expect(relays.a.stats().subscriptions).toBe(1);
  });

  it('fetch through each other', async () => {
    const { relays } = ring();
    const source = await publish(relays.a);
    await listed(new Set(names));
    const { session } = await connect(relays.b, '/');
    const subscription = await session.subscribe(track);
    send(source, 4);
    expect(await nextGroup(subscription)).toMatchObject(whole(4));
    const other = await connect(relays.c, '/');
    await other.session.subscribe(track);
    const fetched = await other.session.fetch({ track, start: { group: 4, object: 0 }, end: { group: 4, object: 2 } });
    expect(await fetched.next()).toMatchObject({ kind: 'object', groupId: 4, object: { objectId: 0 } });
  });

  it('have a track that was only offered, as long as it is', async () => {
    const { relays } = ring();
    const source = await connect(relays.a, '/');
    const publication = await source.session.publish(track, { alias: 4 });
    await listed(new Set(['b', 'c']));
    const { session } = await connect(relays.c, '/');
    const subscription = await session.subscribe(track);
    await eventually(() => expect(publication.terms.forward).toBe(true));
    const writer = publication.openSubgroup({ groupId: 1, subgroupId: 0, priority: 9, endOfGroup: true });
    writer.write(object(1, 0));
    writer.finish();
    expect(await nextGroup(subscription)).toMatchObject({ group: 1, ids: [0] });
    await expect(session.subscribe({ ...track, name: 'other' })).rejects.toMatchObject({ requestCode: 0x10 });
    source.pair.drop();
    await listed(new Set());
  });

  it('refuse a track that nobody has, once and for all', async () => {
    const { relays } = ring();
    await listed(new Set());
    const { session } = await connect(relays.b, '/');
    await expect(session.subscribe(track)).rejects.toMatchObject({ requestCode: 0x10 });
  });

  it('keep what is between them from others', async () => {
    const { relays } = ring();
    const internal = ['.internal', 'origins', 'https:', 'a'];
    const stop = relays.a.router.announce({
      session: { subscribe: () => Promise.reject(), fetch: () => Promise.reject() },
      dialect: undefined as never,
      tally: undefined as never,
      namespace: internal,
      route: { by: { isMember: false, id: undefined }, hops: [5n] },
    });
    await listed(new Set(names));
    const { session } = await connect(relays.b, '/');
    await expect(session.subscribeNamespace(['.internal'])).rejects.toMatchObject({ requestCode: 1 });
    await expect(session.publishNamespace(internal)).rejects.toMatchObject({ requestCode: 1 });
    await expect(session.subscribe({ namespace: internal, name: 'x' })).rejects.toMatchObject({ requestCode: 1 });
    const list = await session.subscribeNamespace([]);
    await publish(relays.c);
    expect(await list.next()).toMatchObject({ namespace, active: true });
    stop();
  });
});

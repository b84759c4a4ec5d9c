import { afterEach, describe, expect, it } from 'vitest';
import { codes } from '../../../src/codec/moqt/codes.ts';
import type { RangeFilters } from '../../../src/codec/moqt/fields/range-filters.ts';
import { concat, hex } from '../../../src/core/bytes.ts';
import type { RelayCore } from '../../../src/relay/relay.ts';
import { establish } from '../../../src/session/establish.ts';
import type { FetchedObjects, IncomingPublish, SubgroupWriter, Subscription } from '../../../src/session/types.ts';
import { memoryPair } from '../../../src/transport/memory.ts';
import type { Transport } from '../../../src/transport/transport.ts';
import { eventually } from '../eventually.ts';
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
} from '../harness.ts';

let relay: RelayCore;
afterEach(() => relay.close());

const only = (start: number, end?: number, set = 0) => [
  { set, ranges: [{ start: BigInt(start), ...(end !== undefined && { end: BigInt(end) }) }] },
];
const gap = (value: number) => Uint8Array.of(0x3c, value);

/** A publisher, a viewer without filters and one with, of draft `version`. */
async function beside(rangeFilters: RangeFilters, version = 'moqt-20') {
  relay = testRelay();
  const publisher = await TestPublisher.start(relay);
  const [whole, filtered] = await Promise.all([
    (await watch(relay, version)).session.subscribe(track),
    (await watch(relay, version)).session.subscribe(track, { rangeFilters }),
  ]);
  return { publisher, whole, filtered };
}

/** Four objects of each of two subgroups in a group, with priorities 10 and 20 and a property. */
function subgroups(publisher: TestPublisher, groupId: number): void {
  for (const subgroupId of [0, 1]) {
    const header = {
      groupId,
      subgroupId,
      priority: 10 + 10 * subgroupId,
      endOfGroup: subgroupId === 1,
      properties: true,
    };
    const writer = publisher.publications[0]!.openSubgroup({ ...header, firstObject: true });
    for (const id of [0, 1, 2, 3]) writer.write({ ...object(groupId, 2 * id + subgroupId), properties: gap(id) });
    writer.finish();
  }
}

async function subgroupsOf(subscription: Subscription, count: number): Promise<Record<number, number[]>> {
  const ids: Record<number, number[]> = {};
  for (let i = 0; i < count; i++) {
    const subgroup = (await subscription.nextSubgroup())!;
    expect(subgroup.endOfGroup && subgroup.subgroupId === 0).toBe(false);
    const received = await readSubgroup(subgroup);
    expect(received.end).toBe('fin');
    ids[subgroup.subgroupId] = received.ids;
  }
  return ids;
}

describe('a viewer with range filters', () => {
  const even = [0, 2, 4, 6];
  const odd = [1, 3, 5, 7];
  it.each<{ name: string; filters: RangeFilters; gets: Record<number, number[]> }>([
    { name: 'subgroups', filters: { subgroup: only(1, 9) }, gets: { 1: odd } },
    { name: 'object ids', filters: { object: only(0, 2) }, gets: { 0: [0, 2], 1: [1] } },
    { name: 'priorities', filters: { priority: only(0, 15) }, gets: { 0: even } },
    {
      name: 'values of a property',
      filters: { objectProperty: [{ set: 0, property: 0x3c, ranges: [{ start: 0n, end: 0n }, { start: 3n }] }] },
      gets: { 0: [0, 6], 1: [1, 7] },
    },
    {
      name: 'several sets',
      filters: { subgroup: only(0, 0), object: [...only(0, 0), ...only(5, undefined, 1)], priority: only(20, 20, 1) },
      gets: { 0: [0], 1: [5, 7] },
    },
  ])('gets what passes and no stream of what does not: $name', async ({ filters, gets }) => {
    const { publisher, whole, filtered } = await beside(filters);
    subgroups(publisher, 1);
    expect(await subgroupsOf(whole, 2)).toEqual({ 0: even, 1: odd });
    expect(await subgroupsOf(filtered, Object.keys(gets).length)).toEqual(gets);
    publisher.publications[0]!.done(codes.publishDone.trackEnded, 'over');
    await filtered.done;
    expect(await filtered.nextSubgroup()).toBeNull();
    expect(publisher.requests.length).toBe(1);
    expect(publisher.requests[0]!.terms.rangeFilters).toBeUndefined();
  });

  it('joins what is kept, says what its stream begins with, and does not say where the group ends', async () => {
    const { publisher, whole } = await beside({});
    publisher.group(3, [10, 10, 10]);
    await nextGroup(whole);
    const late = async (rangeFilters: RangeFilters) =>
      (await (await watch(relay, 'moqt-20')).session.subscribe(track, { rangeFilters })).nextSubgroup();
    const flags = { endOfGroup: false, priority: 100, subgroupId: 0 };
    expect(await late({ object: only(0, 1) })).toMatchObject({ ...flags, firstObject: true });
    const behind = (await late({ object: only(1) }))!;
    expect(behind).toMatchObject({ ...flags, firstObject: false });
    expect(await readSubgroup(behind)).toMatchObject({ ids: [1, 2], end: 'fin' });
  });

  it('gets a reset where the publisher gives up, and the whole of a subgroup at its own pace', async () => {
    const { publisher, filtered } = await beside({ object: only(1) });
    const writer = publisher.open(1);
    for (const id of [0, 1]) writer.write(object(1, id));
    const subgroup = (await filtered.nextSubgroup())!;
    await subgroup.next();
    writer.reset(codes.streamReset.deliveryTimeout);
    await expect(subgroup.next()).rejects.toMatchObject({ resetCode: codes.streamReset.deliveryTimeout });
    const slow = await connect(relay, '/playback/lv_one', { protocol: 'moqt-20', highWaterBytes: 1000 });
    const behind = await slow.session.subscribe(track, { rangeFilters: { object: only(5) } });
    publisher.group(
      2,
      Array.from({ length: 30 }, () => 2000),
    );
    expect(await nextGroup(behind)).toMatchObject({
      group: 2,
      ids: Array.from({ length: 25 }, (_, i) => i + 5),
      end: 'fin',
    });
  });

  it('gets datagrams that pass; they have no subgroup', async () => {
    const { publisher, whole, filtered } = await beside({
      object: [...only(1, 1), ...only(2, 2, 1)],
      subgroup: only(0, undefined, 1),
    });
    const datagram = (objectId: number) => ({
      groupId: 1,
      priority: 5,
      endOfGroup: false,
      object: object(1, objectId),
    });
    for (const id of [0, 2, 1]) publisher.publications[0]!.sendDatagram(datagram(id));
    for (const id of [0, 2, 1]) expect((await whole.nextDatagram())!.object.objectId).toBe(id);
    expect((await filtered.nextDatagram())!.object.objectId).toBe(1);
  });

  it('changes them at any object, on streams under way too', async () => {
    const { publisher, filtered, whole } = await beside({});
    const all = [...Array(9).keys()];
    const writer = publisher.open(1);
    writer.write(object(1, 0));
    const subgroup = (await filtered.nextSubgroup())!;
    const ids: number[] = [];
    const until = async (last: number) => {
      while (ids.at(-1) !== last) ids.push((await subgroup.next())!.objectId);
    };
    const write = async (...objects: number[]) => {
      for (const id of objects) writer.write(object(1, id));
      await eventually(() => expect(relay.stats().objectsIn).toBe(objects.at(-1)! + 1));
    };
    await until(0);
    await filtered.update({ rangeFilters: { object: only(2, 2) } });
    await write(1, 2, 3);
    await until(2);
    await filtered.update({ rangeFilters: { object: only(5) } });
    await write(4, 5);
    await until(5);
    await filtered.update({ rangeFilters: { object: [] } });
    await write(6, 7);
    await until(7);
    await filtered.update({ rangeFilters: { priority: only(0, 9) } });
    await write(8);
    writer.finish();
    expect(await subgroup.next()).toBeNull();
    expect(ids).toEqual([0, 2, 5, 6, 7]);
    expect(await nextGroup(whole)).toMatchObject({ ids: all, end: 'fin' });
  });

  it('fetches what passes, kept and from upstream; gaps are not said to be unknown', async () => {
    relay = testRelay();
    const publisher = await TestPublisher.start(relay, undefined, {
      fetch(request) {
        expect(request.rangeFilters).toBeUndefined();
        const writer = request.accept({ end: request.end, endOfTrack: false });
        for (const id of [0, 1, 2])
          void writer.write({ kind: 'object', groupId: 1, subgroupId: 0, priority: 1, object: object(1, id) });
        writer.finish();
      },
    });
    const { session } = await watch(relay, 'moqt-20');
    const subscription = await session.subscribe(track);
    publisher.group(2, [10, 10, 10]);
    await nextGroup(subscription);
    const range = { start: { group: 1, object: 0 }, end: { group: 2, object: 0 } };
    const fetched = await session.fetch(
      { track, ...range },
      { rangeFilters: { object: [...only(0, 0), ...only(2, 2, 1)] } },
    );
    expect(await locations(fetched)).toEqual(['1/0', '1/2', '2/0', '2/2']);
  });

  it('is offered tracks by their properties, and of each what passes', async () => {
    relay = testRelay();
    const publisher = await connect(relay, '/publish/lv_one');
    const offer = (name: string, priority: number) =>
      publisher.session.publish(
        { namespace, name },
        { alias: priority, trackProperties: Uint8Array.of(0x0e, priority) },
      );
    const [one, two] = await Promise.all([offer('one', 1), offer('two', 2)]);
    const offered: IncomingPublish[] = [];
    const viewer = await connect(relay, '/playback/lv_one', {
      protocol: 'moqt-20',
      publish: (each) => void offered.push(each),
    });
    const property = (value: number) => ({
      set: 0,
      property: 0x0e,
      ranges: [{ start: BigInt(value), end: BigInt(value) }],
    });
    await viewer.session.subscribeTracks(namespace, {
      rangeFilters: { trackProperty: [property(2)], object: only(1, 1) },
    });
    await eventually(() => expect(offered.map(({ track }) => track.name)).toEqual(['two']));
    const subscription = offered[0]!.accept();
    await eventually(() => expect(two.terms.forward).toBe(true));
    write(two.openSubgroup({ groupId: 1, subgroupId: 0, priority: 1, endOfGroup: true }), [0, 1, 2]);
    expect(await nextGroup(subscription)).toMatchObject({ ids: [1], end: 'fin' });
    expect(one.terms.forward).toBe(false);
  });
});

describe('a viewer without filters', () => {
  it('gets the same bytes, whoever is beside it', async () => {
    const bytesOf = async (withOthers: boolean) => {
      relay = testRelay();
      const publisher = await TestPublisher.start(relay);
      if (withOthers) {
        const { session } = await watch(relay, 'moqt-20');
        await session.subscribe(track, { rangeFilters: { object: only(2) } });
      }
      const pair = memoryPair({ protocol: 'moqt-20', path: '/playback/lv_one' });
      const written = recorded(pair.server);
      void relay.serve(pair.server);
      const subscription = await (await establish(pair.client, { role: 'client' })).subscribe(track);
      subgroups(publisher, 1);
      await subgroupsOf(subscription, 2);
      await relay.close();
      // The first one is the control stream.
      return written.slice(1).map((parts) => hex(concat(parts)));
    };
    const alone = await bytesOf(false);
    expect(alone.length).toBe(2);
    expect(await bytesOf(true)).toEqual(alone);
  });
});

describe('a range that ends within a group', () => {
  const filter = { type: 'absoluteRange', start: { group: 1, object: 0 }, endGroup: 2, endObject: 1 } as const;
  const start = async (version = 'moqt-20') => {
    relay = testRelay();
    const publisher = await TestPublisher.start(relay);
    const whole = await (await watch(relay)).session.subscribe(track);
    const ranged = await (await watch(relay, version)).session.subscribe(track, { filter });
    return { publisher, whole, ranged };
  };

  it.each(['moqt-20', 'moqt-21', 'moqt-22'])(
    'passes up to its last object; the subscription stays (%s)',
    async (version) => {
      const { publisher, whole, ranged } = await start(version);
      for (const group of [1, 2, 3]) publisher.group(group, [10, 10, 10]);
      for (const group of [1, 2, 3]) expect(await nextGroup(whole)).toMatchObject({ group, ids: [0, 1, 2] });
      expect(await nextGroup(ranged)).toMatchObject({ group: 1, ids: [0, 1, 2], end: 'fin' });
      expect(await nextGroup(ranged)).toMatchObject({ group: 2, ids: [0, 1], end: 'fin' });
      // Another range: what came in between is for FETCH.
      const next = { type: 'absoluteRange', start: { group: 1, object: 0 }, endGroup: 4 } as const;
      expect(await ranged.update({ filter: next })).toMatchObject({ largest: { group: 3, object: 2 } });
      for (const group of [4, 5]) publisher.group(group, [10]);
      expect(await nextGroup(ranged)).toMatchObject({ group: 4, ids: [0], end: 'fin' });
      publisher.publications[0]!.done(codes.publishDone.trackEnded, 'over');
      expect(await ranged.done).toMatchObject({ status: codes.publishDone.trackEnded });
      expect(await ranged.nextSubgroup()).toBeNull();
    },
  );

  it('may be in the past from draft-20 on, and be given another with the group under way', async () => {
    const { publisher, whole } = await start();
    const open = publisher.open(5);
    open.write(object(5, 0));
    await whole.nextSubgroup();
    const past = await (await watch(relay, 'moqt-20')).session.subscribe(track, { filter });
    await past.update({ filter: { type: 'absoluteStart', start: { group: 1, object: 0 } } });
    write(open, [1, 2], 5);
    expect(await nextGroup(past)).toMatchObject({ group: 5, ids: [1, 2], end: 'fin' });
  });

  it('that becomes narrower resets what lies outside, and nothing else', async () => {
    const { publisher, ranged } = await start();
    const writers = [1, 2].map((group) => publisher.open(group));
    for (const [index, writer] of writers.entries()) writer.write(object(index + 1, 0));
    const [inside, outside] = [(await ranged.nextSubgroup())!, (await ranged.nextSubgroup())!];
    await ranged.update({ filter: { type: 'absoluteRange', start: { group: 1, object: 0 }, endGroup: 1 } });
    await ranged.update({ filter: { type: 'absoluteRange', start: { group: 0, object: 0 }, endGroup: 1 } });
    expect(await readSubgroup(outside)).toMatchObject({ group: 2, end: 'reset' });
    write(writers[0]!, [1]);
    expect(await readSubgroup(inside)).toMatchObject({ group: 1, ids: [0, 1], end: 'fin' });
  });

  it('ends the subscription in draft-19, with a whole group', async () => {
    relay = testRelay();
    const publisher = await TestPublisher.start(relay);
    const { session } = await watch(relay, 'moqt-19');
    const { endObject: _, ...whole } = filter;
    const ranged = await session.subscribe(track, { filter: whole });
    for (const group of [2, 3]) publisher.group(group, [10]);
    expect(await nextGroup(ranged)).toMatchObject({ group: 2, ids: [0] });
    expect(await ranged.done).toMatchObject({ status: codes.publishDone.subscriptionEnded });
  });
});

it('a stream that begins behind all there is ends with its subgroup', async () => {
  relay = testRelay();
  const publisher = await TestPublisher.start(relay);
  const whole = await (await watch(relay)).session.subscribe(track);
  const writer = publisher.open(1);
  writer.write(object(1, 0));
  await whole.nextSubgroup();
  await eventually(() => expect(relay.stats().objectsIn).toBe(1));
  const late = await (await watch(relay)).session.subscribe(track, { filter: { type: 'largestObject' } });
  await eventually(() => expect(relay.stats().subscriptions).toBe(2));
  writer.finish();
  publisher.publications[0]!.done(codes.publishDone.trackEnded, 'over');
  expect(await late.done).toMatchObject({ status: codes.publishDone.trackEnded });
});

function write(writer: SubgroupWriter, ids: readonly number[], groupId = 1): void {
  for (const id of ids) writer.write(object(groupId, id));
  writer.finish();
}

/** What each stream that the transport opens from now on takes. */
function recorded(transport: Transport): Uint8Array[][] {
  const streams: Uint8Array[][] = [];
  const openUni = transport.openUni.bind(transport);
  transport.openUni = (options) => {
    const stream = openUni(options);
    const write = stream.write.bind(stream);
    const parts: Uint8Array[] = [];
    streams.push(parts);
    stream.write = (bytes) => write(bytes) && parts.push(bytes) > 0;
    return stream;
  };
  return streams;
}

async function locations(fetched: FetchedObjects): Promise<string[]> {
  const out: string[] = [];
  for (let item = await fetched.next(); item !== null; item = await fetched.next())
    out.push(item.kind === 'object' ? `${item.groupId}/${item.object.objectId}` : 'unknown');
  return out;
}

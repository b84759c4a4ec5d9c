import { afterEach, describe, expect, it } from 'vitest';
import { codes } from '../../../src/codec/moqt/codes.ts';
import { draft20 } from '../../../src/codec/moqt/draft20/draft20.ts';
import { concat } from '../../../src/core/bytes.ts';
import type { RelayLimits } from '../../../src/relay/limits.ts';
import type { RelayCore } from '../../../src/relay/relay.ts';
import type { FetchedObjects, FetchItem, IncomingFetch, Location } from '../../../src/session/types.ts';
import { memoryPair } from '../../../src/transport/memory.ts';
import { eventually } from '../eventually.ts';
import { connect, nextGroup, object, TestPublisher, testRelay, track, watch } from '../harness.ts';

let relay: RelayCore;
const start = (limits: Partial<RelayLimits> = {}): RelayCore => {
  relay = testRelay(limits);
  return relay;
};
afterEach(() => relay.close());

const at = (group: number, object: number): Location => ({ group, object });

/** `5/3`, and for a marker `?5/3` (unknown) or `-5/3`. */
async function read(fetched: FetchedObjects): Promise<string[]> {
  const out: string[] = [];
  for (let item = await fetched.next(); item !== null; item = await fetched.next()) out.push(name(item));
  return out;
}
function name(item: FetchItem): string {
  if (item.kind === 'object') return `${item.groupId}/${item.object.objectId}`;
  const objectId = item.objectId === Number.MAX_SAFE_INTEGER ? 'rest' : item.objectId;
  return `${item.unknown ? '?' : '-'}${item.groupId}/${objectId}`;
}

const sent = (groupId: number, objectId: number): FetchItem => ({
  kind: 'object',
  groupId,
  subgroupId: 0,
  priority: 100,
  object: object(groupId, objectId),
});

/** Groups 5 (0…2), 6 (0…1) and 7 (0…1, open), all seen by a viewer of the relay. */
async function published(limits: Partial<RelayLimits> = {}, fetch?: (request: IncomingFetch) => void) {
  const publisher = await TestPublisher.start(start(limits), undefined, fetch === undefined ? {} : { fetch });
  const early = await (await watch(relay)).session.subscribe(track);
  publisher.group(5, [10, 10, 10]);
  publisher.group(6, [10, 10]);
  const open = publisher.open(7);
  open.write(object(7, 0));
  open.write(object(7, 1));
  await nextGroup(early);
  await eventually(() => expect(relay.stats().objectsIn).toBe(7));
  return { publisher, open, viewer: await watch(relay) };
}

describe('a fetch from the cache', () => {
  it.each<[string, Location, Location, string[], Location]>([
    ['one group', at(5, 0), at(5, 0), ['5/0', '5/1', '5/2'], at(5, 0)],
    ['objects of two groups', at(5, 2), at(6, 1), ['5/2', '6/0'], at(6, 1)],
    ['up to the live edge', at(6, 1), at(7, 0), ['6/1', '7/0', '7/1'], at(7, 2)],
    ['beyond the live edge', at(7, 1), at(90, 0), ['7/1'], at(7, 2)],
  ])('%s', async (_, from, to, expected, end) => {
    const { viewer } = await published();
    const fetched = await viewer.session.fetch({ track, start: from, end: to });
    expect(fetched.end).toEqual(end);
    expect(await read(fetched)).toEqual(expected);
  });

  it('in descending order keeps the objects of a group ascending', async () => {
    const { viewer } = await published();
    const fetched = await viewer.session.fetch({ track, start: at(5, 1), end: at(7, 0) }, { groupOrder: 'descending' });
    expect(await read(fetched)).toEqual(['7/0', '7/1', '6/0', '6/1', '5/1', '5/2']);
  });

  it('carries priority, subgroup, properties and payload untouched', async () => {
    const publisher = await TestPublisher.start(start());
    const subscription = await (await watch(relay)).session.subscribe(track);
    const header = { groupId: 1, subgroupId: 3, priority: 42, endOfGroup: true, firstObject: true, properties: true };
    const writer = publisher.publications[0]!.openSubgroup(header);
    const properties = Uint8Array.of(2, 5);
    writer.write({ ...object(1, 0, 5000), properties });
    writer.finish();
    await nextGroup(subscription);
    const fetched = await (await watch(relay)).session.fetch({ track, start: at(1, 0), end: at(1, 0) });
    expect(await fetched.next()).toEqual({
      kind: 'object',
      groupId: 1,
      subgroupId: 3,
      priority: 42,
      object: { ...object(1, 0, 5000), properties },
    });
    expect(await fetched.next()).toBeNull();
  });

  it('joins a subscription without gap or overlap', async () => {
    const { publisher, open, viewer } = await published();
    const joining = await viewer.session.subscribe(track, { filter: { type: 'largestObject' } });
    const fetched = await viewer.session.fetch({ joining, groupsBefore: 1 });
    expect(await read(fetched)).toEqual(['6/0', '6/1', '7/0', '7/1']);
    open.write(object(7, 2));
    open.finish();
    publisher.group(8, [10]);
    expect(await nextGroup(joining)).toMatchObject({ group: 7, ids: [2] });
    const absolute = await viewer.session.fetch({ joining, fromGroup: 5 });
    expect(await read(absolute)).toEqual(['5/0', '5/1', '5/2', '6/0', '6/1', '7/0', '7/1']);
  });

  it('begins so many groups before the next one (draft-20)', async () => {
    await published();
    const both = memoryPair({ protocol: 'moqt-20', path: '/playback/lv_one' });
    void relay.serve(both.server);
    both.client.openUni().write(draft20.encodeMessage({ type: 'setup' }));
    const { send, receive } = both.client.openBidi();
    send.write(
      draft20.encodeMessage({
        type: 'fetch',
        requestId: 0,
        range: { kind: 'standalone', track, start: at(0, 0), end: at(0, 0) },
        parameters: { locationFilter: { kind: 'relative', groups: 2 } },
      }),
    );
    const [answer] = draft20.controlDecoder().push((await receive.read())!);
    expect(answer).toMatchObject({ type: 'fetchOk', end: at(7, 2) });
    await both.client.acceptUni(); // Control.
    const stream = (await both.client.acceptUni())!;
    const parts: Uint8Array[] = [];
    for (let bytes = await stream.read(); bytes !== null; bytes = await stream.read()) parts.push(bytes);
    const behindHeader = concat(parts).subarray(draft20.encodeFetchHeader(0).length);
    expect(draft20.fetchDecoder('ascending').push(behindHeader).map(name)).toEqual(['6/0', '6/1', '7/0', '7/1']);
    both.drop();
  });

  it('from behind the live edge is an invalid range', async () => {
    const { viewer } = await published();
    await expect(viewer.session.fetch({ track, start: at(7, 2), end: at(8, 0) })).rejects.toMatchObject({
      requestCode: codes.requestError.invalidRange,
    });
  });

  it('of a slow reader waits for it', async () => {
    const publisher = await TestPublisher.start(start());
    const early = await (await watch(relay)).session.subscribe(track);
    publisher.group(
      1,
      Array.from({ length: 60 }, () => 5000),
    );
    await nextGroup(early);
    const { session } = await connect(relay, '/playback/lv_one', { highWaterBytes: 8000 });
    const fetched = await session.fetch({ track, start: at(1, 0), end: at(1, 0) });
    expect(await read(fetched)).toHaveLength(60);
  });

  it('is bounded in number', async () => {
    await published({ maxFetchesPerSession: 0 });
    const { session } = await watch(relay);
    await expect(session.fetch({ track, start: at(5, 0), end: at(5, 0) })).rejects.toMatchObject({
      requestCode: codes.requestError.excessiveLoad,
    });
  });
});

describe('a fetch of what is not in the cache', () => {
  it('asks the publisher for that, and only for that', async () => {
    const requests: IncomingFetch[] = [];
    const { viewer } = await published({}, async (request) => {
      requests.push(request);
      const writer = request.accept({ end: request.end, endOfTrack: false });
      for (const item of [sent(3, 0), sent(3, 1), sent(4, 0)]) await writer.write(item);
      writer.finish();
    });
    const fetched = await viewer.session.fetch({ track, start: at(3, 0), end: at(5, 2) });
    expect(await read(fetched)).toEqual(['3/0', '3/1', '4/0', '5/0', '5/1']);
    expect(requests).toMatchObject([{ track, start: at(3, 0), end: at(4, 0) }]);
  });

  it('marks as unknown what no publisher gives', async () => {
    const { viewer } = await published();
    const range = { track, start: at(3, 0), end: at(6, 0) };
    const expected = ['?4/rest', '5/0', '5/1', '5/2', '6/0', '6/1'];
    expect(await read(await viewer.session.fetch(range))).toEqual(expected);
    const descending = await viewer.session.fetch(range, { groupOrder: 'descending' });
    expect(await read(descending)).toEqual(['6/0', '6/1', '5/0', '5/1', '5/2', '?3/rest']);
  });

  it('of a group with holes asks for it whole, and else marks the holes', async () => {
    const publisher = await TestPublisher.start(start());
    const early = await (await watch(relay)).session.subscribe(track);
    const writer = publisher.open(1);
    for (const id of [1, 2, 5]) writer.write(object(1, id));
    writer.finish();
    publisher.group(2, [10]);
    await nextGroup(early);
    await eventually(() => expect(relay.stats().objectsIn).toBe(4));
    const { session } = await watch(relay);
    const fetched = await session.fetch({ track, start: at(1, 0), end: at(2, 0) });
    expect(await read(fetched)).toEqual(['?1/0', '1/1', '1/2', '?1/4', '1/5', '?1/rest', '2/0']);
  });

  it('does not wait longer than FILL_TIMEOUT; 0 does not ask at all', async () => {
    const requests: IncomingFetch[] = [];
    const { viewer } = await published({}, (request) => void requests.push(request));
    const range = { track, start: at(4, 0), end: at(5, 1) };
    expect(await read(await viewer.session.fetch(range, { fillTimeoutMs: 0 }))).toEqual(['?4/rest', '5/0']);
    expect(requests).toEqual([]);
    expect(await read(await viewer.session.fetch(range, { fillTimeoutMs: 20 }))).toEqual(['?4/rest', '5/0']);
    expect(requests).toHaveLength(1);
    await requests[0]!.cancelled;
  });

  it('of a publisher that breaks off is continued from what is known', async () => {
    const { viewer } = await published({}, async (request) => {
      const writer = request.accept({ end: request.end, endOfTrack: false });
      await writer.write(sent(3, 0));
      // Outside of what was asked: not believed.
      await writer.write(sent(5, 0));
      await new Promise((resolve) => setTimeout(resolve, 5));
      writer.reset(0x6);
    });
    const fetched = await viewer.session.fetch({ track, start: at(3, 0), end: at(5, 1) });
    expect(await read(fetched)).toEqual(['3/0', '?4/rest', '5/0']);
  });
});

describe('a fetch of a track nobody watches', () => {
  it('passes through', async () => {
    const requests: IncomingFetch[] = [];
    const publisher = await TestPublisher.start(start(), undefined, {
      async fetch(request) {
        requests.push(request);
        const writer = request.accept({ end: at(2, 3), endOfTrack: true, trackProperties: Uint8Array.of(2, 9) });
        await writer.write(sent(2, 0));
        await writer.write({ kind: 'endOfRange', unknown: true, groupId: 2, objectId: 1 });
        await writer.write({ ...sent(2, 2), subgroupId: undefined } as FetchItem);
        writer.finish();
      },
    });
    const { session } = await watch(relay);
    const fetched = await session.fetch({ track, start: at(2, 0), end: at(9, 0) }, { priority: 3 });
    expect(fetched).toMatchObject({ end: at(2, 3), endOfTrack: true, trackProperties: Uint8Array.of(2, 9) });
    expect(await read(fetched)).toEqual(['2/0', '?2/1', '2/2']);
    expect(requests).toMatchObject([{ track, start: at(2, 0), end: at(9, 0), priority: 3 }]);
    expect(publisher.requests).toEqual([]);
    expect(relay.stats().tracks).toBe(0);
  });

  it('is refused as the publisher refuses it, and cancelled there when it is cancelled here', async () => {
    const requests: IncomingFetch[] = [];
    await TestPublisher.start(start(), undefined, {
      fetch(request) {
        requests.push(request);
        if (requests.length === 1) request.reject(codes.requestError.invalidRange, 'not yet', 30);
      },
    });
    const { session } = await watch(relay);
    const range = { track, start: at(2, 0), end: at(9, 0) };
    await expect(session.fetch(range)).rejects.toMatchObject({ requestCode: 0x11, reason: 'not yet', retryMs: 30 });
    const abort = new AbortController();
    const given = session.fetch(range, { signal: abort.signal });
    await eventually(() => expect(requests).toHaveLength(2));
    abort.abort();
    await expect(given).rejects.toMatchObject({ code: 'INTERRUPTED' });
    await requests[1]!.cancelled;
  });

  it('of a publisher that does not answer times out', async () => {
    await TestPublisher.start(start({ maxFillMs: 20 }), undefined, { fetch() {} });
    const { session } = await watch(relay);
    await expect(session.fetch({ track, start: at(2, 0), end: at(9, 0) })).rejects.toMatchObject({
      requestCode: codes.requestError.timeout,
    });
  });

  it('without a publisher does not exist; in a namespace of others it is refused', async () => {
    const { session } = await watch(start());
    const range = { start: at(0, 0), end: at(1, 0) };
    await expect(session.fetch({ track, ...range })).rejects.toMatchObject({ requestCode: 0x10 });
    const other = { namespace: ['stream', 'org_a', 'lv_two'], name: 'a' };
    await expect(session.fetch({ track: other, ...range })).rejects.toMatchObject({ requestCode: 0x1 });
  });
});

it('passes track properties on', async () => {
  const trackProperties = Uint8Array.of(2, 5);
  await TestPublisher.start(start(), (request) => void request.accept({ alias: 7, trackProperties }));
  const subscription = await (await watch(relay)).session.subscribe(track);
  expect(subscription.trackProperties).toEqual(trackProperties);
});

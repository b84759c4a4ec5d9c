import { describe, expect, it } from 'vitest';
import { draft18 } from '../../src/codec/moqt/draft18/draft18.ts';
import { concat, emptyBytes, utf8 } from '../../src/core/bytes.ts';
import type {
  EstablishOptions,
  FetchedObjects,
  FetchItem,
  IncomingFetch,
  IncomingSubscribe,
} from '../../src/session/types.ts';
import { describeVersions, encode, messages, rawPeer, request, sessions, track } from './helpers.ts';

const range = { track, start: { group: 2, object: 0 }, end: { group: 3, object: 2 } };

const item = (groupId: number, objectId: number, text = 'x'): FetchItem => ({
  kind: 'object',
  groupId,
  subgroupId: 0,
  priority: 9,
  object: { objectId, status: 'normal', properties: undefined, payload: utf8(text) },
});

async function all(fetched: FetchedObjects): Promise<FetchItem[]> {
  const items: FetchItem[] = [];
  for (let next = await fetched.next(); next !== null; next = await fetched.next()) items.push(next);
  return items;
}

async function fetching(fetch: (request: IncomingFetch) => void, subscribe?: (request: IncomingSubscribe) => void) {
  const handlers: NonNullable<EstablishOptions['handlers']> = { fetch, ...(subscribe !== undefined && { subscribe }) };
  return sessions({ server: { handlers } });
}

describe('a standalone fetch', () => {
  it('tells the publisher what is asked and brings every object', async () => {
    const requests: IncomingFetch[] = [];
    const sent = [item(2, 0), item(2, 1, 'y'.repeat(200_000)), item(3, 1)];
    const { client } = await fetching(async (incoming) => {
      requests.push(incoming);
      const writer = incoming.accept({
        end: { group: 3, object: 2 },
        endOfTrack: true,
        trackProperties: Uint8Array.of(2, 5),
      });
      for (const next of sent) expect(await writer.write(next)).toBe(true);
      writer.finish();
    });
    const fetched = await client.fetch(range, { priority: 3, fillTimeoutMs: 40 });
    expect(fetched).toMatchObject({ end: range.end, endOfTrack: true, trackProperties: Uint8Array.of(2, 5) });
    expect(await all(fetched)).toEqual(sent);
    expect(requests[0]).toMatchObject({ ...range, priority: 3, groupOrder: 'ascending', fillTimeoutMs: 40 });
  });

  it('in descending order', async () => {
    const sent = [item(3, 0), item(3, 1), item(2, 0)];
    const { client } = await fetching(async (incoming) => {
      expect(incoming.groupOrder).toBe('descending');
      const writer = incoming.accept({ end: range.end, endOfTrack: false });
      for (const next of sent) await writer.write(next);
      writer.finish();
    });
    expect(await all(await client.fetch(range, { groupOrder: 'descending' }))).toEqual(sent);
  });

  it('is refused with code, reason and when to retry', async () => {
    const { client } = await fetching((incoming) => incoming.reject(0x11, 'too late', 20));
    await expect(client.fetch(range)).rejects.toMatchObject({ requestCode: 0x11, reason: 'too late', retryMs: 20 });
  });

  it('is not supported where there is no handler', async () => {
    const { client } = await sessions();
    await expect(client.fetch(range)).rejects.toMatchObject({ requestCode: 0x3 });
  });

  it('of a range that ends before it starts never reaches the handler', async () => {
    const { client } = await fetching(() => expect.unreachable());
    const end = { group: 2, object: 5 };
    await expect(client.fetch({ ...range, start: { group: 2, object: 5 }, end })).rejects.toMatchObject({
      requestCode: 0x11,
    });
  });

  it('that is reset throws what came before, then the reset', async () => {
    const { client } = await fetching(async (incoming) => {
      const writer = incoming.accept({ end: range.end, endOfTrack: false });
      await writer.write(item(2, 0));
      await new Promise((resolve) => setTimeout(resolve, 1));
      writer.reset(0x6);
    });
    const fetched = await client.fetch(range);
    await expect(all(fetched)).rejects.toMatchObject({ code: 'STREAM_RESET', resetCode: 0x6 });
  });

  it('that is stopped is cancelled at the publisher, who can write no more', async () => {
    const incoming: IncomingFetch[] = [];
    const { client } = await fetching((next) => void incoming.push(next));
    const answer = client.fetch(range);
    while (incoming.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    const writer = incoming[0]!.accept({ end: range.end, endOfTrack: false });
    (await answer).stop();
    await incoming[0]!.cancelled;
    expect(await writer.write(item(2, 0))).toBe(false);
    expect(await (await answer).next()).toBeNull();
  });

  it('that is aborted before its answer is interrupted', async () => {
    const abort = new AbortController();
    const { client } = await fetching(() => abort.abort());
    await expect(client.fetch(range, { signal: abort.signal })).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });

  it('fails with its session', async () => {
    const { client, drop } = await fetching((incoming) => void incoming.accept({ end: range.end, endOfTrack: false }));
    const fetched = await client.fetch(range);
    drop();
    await expect(all(fetched)).rejects.toMatchObject({ code: expect.stringMatching(/STREAM_RESET|TRANSPORT_CLOSED/) });
  });

  it('takes objects that came before FETCH_OK', async () => {
    const { raw, opening, setup } = await rawPeer('client');
    setup();
    const session = await opening;
    const answer = session.fetch(range);
    const bidi = (await raw.acceptBidi())!;
    const [asked] = await messages(bidi.receive, 1);
    expect(asked).toMatchObject({ type: 'fetch', requestId: 0, range: { kind: 'standalone' } });
    const stream = raw.openUni();
    stream.write(concat([draft18.encodeFetchHeader(0), draft18.fetchEncoder('ascending').encode(item(2, 0))]));
    stream.finish();
    bidi.send.write(
      encode({ type: 'fetchOk', end: range.end, endOfTrack: false, parameters: {}, trackProperties: emptyBytes }),
    );
    expect(await all(await answer)).toEqual([item(2, 0)]);
  });
});

describeVersions('a joining fetch', () => {
  const subscribeAt =
    (largest: { group: number; object: number } | undefined) =>
    (incoming: IncomingSubscribe): void =>
      void incoming.accept({ alias: 7, ...(largest !== undefined && { largest }) });

  it.each([
    ['relative', { groupsBefore: 2 }, 3],
    ['relative, further back than the track goes', { groupsBefore: 9 }, 0],
    ['absolute', { fromGroup: 4 }, 4],
  ])('%s ends where the subscription starts', async (_, from, group) => {
    const incoming: IncomingFetch[] = [];
    const { client } = await fetching(
      (next) => {
        incoming.push(next);
        next.accept({ end: next.end, endOfTrack: false }).finish();
      },
      subscribeAt({ group: 5, object: 3 }),
    );
    const joining = await client.subscribe(track);
    expect(await all(await client.fetch({ joining, ...from }))).toEqual([]);
    expect(incoming[0]).toMatchObject({ track, start: { group, object: 0 }, end: { group: 5, object: 4 } });
  });

  it('from behind the subscription, or of a track without objects, is an invalid range', async () => {
    const never = () => expect.unreachable();
    const behind = await fetching(never, subscribeAt({ group: 5, object: 3 }));
    const joining = await behind.client.subscribe(track);
    await expect(behind.client.fetch({ joining, fromGroup: 6 })).rejects.toMatchObject({ requestCode: 0x11 });
    const empty = await fetching(never, subscribeAt(undefined));
    const nothing = await empty.client.subscribe(track);
    await expect(empty.client.fetch({ joining: nothing, groupsBefore: 0 })).rejects.toMatchObject({
      requestCode: 0x11,
    });
  });

  it('of a subscription that does not forward is an invalid range', async () => {
    const { raw, opening, setup } = await rawPeer('server', {
      handlers: { fetch: () => expect.unreachable(), subscribe: subscribeAt({ group: 5, object: 3 }) },
    });
    setup();
    await opening;
    await messages(request(raw, { type: 'subscribe', requestId: 0, track, parameters: { forward: false } }).receive, 1);
    const joining = { kind: 'relativeJoining', joiningRequestId: 0, start: 1 } as const;
    const bidi = request(raw, { type: 'fetch', requestId: 2, range: joining, parameters: {} });
    expect(await messages(bidi.receive, 1)).toMatchObject([{ type: 'requestError', code: 0x11 }]);
  });

  it('waits for its subscription to be answered; of none at all it is INVALID_JOINING_REQUEST_ID', async () => {
    const subscribes: IncomingSubscribe[] = [];
    const fetches: IncomingFetch[] = [];
    const { raw, opening, setup } = await rawPeer('server', {
      handlers: { fetch: (next) => void fetches.push(next), subscribe: (next) => void subscribes.push(next) },
    });
    setup();
    await opening;
    request(raw, { type: 'subscribe', requestId: 0, track, parameters: {} });
    const joining = (joiningRequestId: number) => ({ kind: 'absoluteJoining', joiningRequestId, start: 1 }) as const;
    request(raw, { type: 'fetch', requestId: 2, range: joining(0), parameters: {} });
    const unknown = request(raw, { type: 'fetch', requestId: 4, range: joining(8), parameters: {} });
    expect(await messages(unknown.receive, 1)).toMatchObject([{ type: 'requestError', code: 0x32 }]);
    expect(fetches).toEqual([]);
    subscribes[0]!.accept({ alias: 1, largest: { group: 2, object: 0 } });
    while (fetches.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(fetches[0]).toMatchObject({ start: { group: 1, object: 0 }, end: { group: 2, object: 1 } });
  });
});

import { describe, expect, it, vi } from 'vitest';
import { draft20 } from '../../../../src/codec/moqt/draft20/draft20.ts';
import type { MessageParameters } from '../../../../src/codec/moqt/fields/parameters.ts';
import type { Message } from '../../../../src/codec/moqt/message.ts';
import { emptyBytes } from '../../../../src/core/bytes.ts';
import { establish } from '../../../../src/session/establish.ts';
import { fillRange } from '../../../../src/session/moqt/publish/fill.ts';
import type { IncomingFetch, IncomingSubscribe, Publication, SessionHandlers } from '../../../../src/session/types.ts';
import type { BidiStream, Transport } from '../../../../src/transport/transport.ts';
import { obj, pair, track } from '../../helpers.ts';

const largest = { group: 4, object: 2 };

/** A draft-20 client that speaks bytes, a server that answers fetches with one object, and what came to it. */
async function opened(handlers: Partial<SessionHandlers> = {}) {
  const both = pair({ protocol: 'moqt-20' });
  const fetches: IncomingFetch[] = [];
  const publications: Publication[] = [];
  const opening = establish(both.server, {
    role: 'server',
    handlers: {
      subscribe: (request) => void publications.push(request.accept({ alias: 1, largest })),
      fetch(request) {
        fetches.push(request);
        const writer = request.accept({ end: request.end, endOfTrack: false });
        const object = obj(request.start.object, 'x');
        void writer.write({ kind: 'object', groupId: request.start.group, subgroupId: 0, priority: 1, object });
        writer.finish();
      },
      ...handlers,
    },
  });
  both.client.openUni().write(draft20.encodeMessage({ type: 'setup' }));
  const session = await opening;
  await both.client.acceptUni();
  return { client: both.client, session, fetches, publications };
}

/** A request, and what is said and heard on its stream. */
function requested(client: Transport, parameters: MessageParameters) {
  const conversation = conversationOn(client.openBidi());
  conversation.say({ type: 'subscribe', requestId: 0, track, parameters });
  return conversation;
}

function conversationOn({ send, receive }: BidiStream) {
  const decoder = draft20.controlDecoder();
  const heard: Message[] = [];
  return {
    say: (message: Message) => void send.write(draft20.encodeMessage(message)),
    async hear(): Promise<Message> {
      while (heard.length === 0) heard.push(...decoder.push((await receive.read())!));
      return heard.shift()!;
    },
    cancel() {
      send.reset(1);
      receive.stop(1);
    },
  };
}

const newestGroup = { locationFilter: { kind: 'relative', groups: 1 } } as const;

/** A fetch stream's type and request id. */
async function fetchHeader(client: Transport): Promise<number[]> {
  const stream = (await client.acceptUni())!;
  return [...(await stream.read())!.subarray(0, 2)];
}

it('brings what is there already on a FETCH stream of the subscription', async () => {
  const { client, fetches, publications } = await opened();
  const { hear } = requested(client, { subscriptionFilter: { type: 'largestObject' }, fill: newestGroup });
  expect(await hear()).toMatchObject({ type: 'subscribeOk' });
  publications[0]!.done(0x2, 'over');
  // The stream is one more than those of the subscription, and nobody counts it.
  const done = await hear();
  expect(done).toMatchObject({ type: 'publishDone', status: 0x2 });
  expect(done).not.toHaveProperty('streamCount');
  expect(fetches[0]).toMatchObject({ track, start: { group: 4, object: 0 }, end: { group: 4, object: 3 } });
  expect(await fetchHeader(client)).toEqual([0x05, 0]);
});

describe('in an update', () => {
  const live = { subscriptionFilter: { type: 'largestObject' } } as const;

  it('brings what is there by then, on a stream with the id of the update', async () => {
    const { client, fetches, publications } = await opened();
    const { say, hear } = requested(client, { ...live, subscriberPriority: 7 });
    await hear();
    publications[0]!.onUpdate(() => ({ largest: { group: 9, object: 1 } }));
    say({ type: 'requestUpdate', requestId: 2, parameters: { fill: newestGroup } });
    expect(await hear()).toMatchObject({ type: 'requestOk', parameters: { largestObject: { group: 9, object: 1 } } });
    expect(await fetchHeader(client)).toEqual([0x05, 2]);
    expect(fetches).toMatchObject([
      { requestId: 2, start: { group: 9, object: 0 }, end: { group: 9, object: 2 }, priority: 7 },
    ]);
    publications[0]!.done(0x2, 'over');
    expect(await hear()).not.toHaveProperty('streamCount');
  });

  it('does not end the fills before, and is of the filter that the update brought', async () => {
    const { client, fetches, publications } = await opened();
    const { say, hear } = requested(client, { ...live, fill: newestGroup });
    await hear();
    publications[0]!.onUpdate(() => ({ largest }));
    const filter = { type: 'absoluteStart', start: { group: 2, object: 1 } } as const;
    say({ type: 'requestUpdate', requestId: 2, parameters: { subscriptionFilter: filter, fill: {} } });
    expect([await fetchHeader(client), await fetchHeader(client)]).toEqual([
      [0x05, 0],
      [0x05, 2],
    ]);
    expect(fetches[1]).toMatchObject({ start: filter.start, end: { group: 4, object: 3 } });
  });

  it('holds for that update only, and while objects are forwarded', async () => {
    const { client, fetches } = await opened();
    const { say, hear } = requested(client, { ...live, forward: false, fill: newestGroup });
    await hear();
    say({ type: 'requestUpdate', requestId: 2, parameters: { fill: newestGroup } });
    say({ type: 'requestUpdate', requestId: 4, parameters: { forward: true } });
    say({ type: 'requestUpdate', requestId: 6, parameters: { fill: newestGroup } });
    for (let i = 0; i < 3; i++) await hear();
    expect(fetches).toHaveLength(1);
    expect(await fetchHeader(client)).toEqual([0x05, 6]);
  });

  it('waits for the answer to its subscription', async () => {
    const requests: IncomingSubscribe[] = [];
    const { client, fetches } = await opened({ subscribe: (request) => void requests.push(request) });
    const { say, hear } = requested(client, { ...live, fill: newestGroup });
    say({ type: 'requestUpdate', requestId: 2, parameters: { fill: newestGroup } });
    await vi.waitFor(() => expect(requests).toHaveLength(1));
    await new Promise((resolve) => setImmediate(resolve));
    requests[0]!.accept({ alias: 1, largest });
    expect([await hear(), await hear()]).toMatchObject([{ type: 'subscribeOk' }, { type: 'requestOk' }]);
    expect(fetches).toHaveLength(2);
    expect([await fetchHeader(client), await fetchHeader(client)]).toEqual([
      [0x05, 0],
      [0x05, 2],
    ]);
  });

  it('is over with the subscription', async () => {
    const fetches: IncomingFetch[] = [];
    const { client } = await opened({ fetch: (request) => void fetches.push(request) });
    const { say, hear, cancel } = requested(client, live);
    await hear();
    say({ type: 'requestUpdate', requestId: 2, parameters: { fill: newestGroup } });
    await hear();
    cancel();
    await fetches[0]!.cancelled;
  });

  it('comes for a track that was offered', async () => {
    const { client, session, fetches } = await opened();
    const publishing = session.publish(track, { alias: 3, largest, forward: false });
    const { say, hear } = conversationOn((await client.acceptBidi())!);
    expect(await hear()).toMatchObject({ type: 'publish' });
    say({ type: 'requestOk', parameters: {}, trackProperties: emptyBytes });
    await publishing;
    say({ type: 'requestUpdate', requestId: 0, parameters: { forward: true, fill: newestGroup } });
    expect(await hear()).toMatchObject({ type: 'requestOk' });
    expect(await fetchHeader(client)).toEqual([0x05, 0]);
    expect(fetches[0]).toMatchObject({ track, start: { group: 4, object: 0 } });
  });
});

it.each<{ name: string; handlers: Partial<SessionHandlers> }>([
  { name: 'is refused', handlers: { fetch: (request) => request.reject(0x10, 'no') } },
  { name: 'nobody serves', handlers: { fetch: undefined } as object },
])('resets the stream of a fill that $name, and goes on', async ({ handlers }) => {
  const { client, publications } = await opened(handlers);
  const { say, hear } = requested(client, { fill: newestGroup });
  expect(await hear()).toMatchObject({ type: 'subscribeOk' });
  const stream = (await client.acceptUni())!;
  const readAll = async () => {
    while ((await stream.read()) !== null);
  };
  await expect(readAll()).rejects.toMatchObject({ code: 'STREAM_RESET' });
  say({ type: 'requestUpdate', requestId: 2, parameters: { subscriberPriority: 1 } });
  expect(await hear()).toMatchObject({ type: 'requestOk' });
  expect(publications[0]!.terms.priority).toBe(1);
});

it('has the rights of its subscription', async () => {
  const { client, fetches } = await opened();
  // USE_VALUE (0x3), type 0, "t".
  const authorizationTokens = [Uint8Array.of(3, 0, 0x74)];
  const { hear } = requested(client, { authorizationTokens, fill: newestGroup });
  await hear();
  expect(fetches[0]!.tokens).toHaveLength(1);
});

it('opens nothing where there is nothing', async () => {
  const { client, fetches } = await opened();
  await requested(client, { subscriptionFilter: { type: 'largestObject' }, fill: {} }).hear();
  expect(fetches).toEqual([]);
});

it.each<{ name: string; filter?: MessageParameters['locationFilter']; range: unknown }>([
  { name: 'what the subscription asked for', range: { start: { group: 0, object: 0 }, end: { group: 4, object: 3 } } },
  {
    name: 'more groups than there are',
    filter: { kind: 'relative', groups: 9 },
    range: { start: { group: 0, object: 0 } },
  },
  {
    name: 'a range that ends before',
    filter: { kind: 'absolute', start: { group: 1, object: 1 }, endGroup: 3, endObject: 5 },
    range: { start: { group: 1, object: 1 }, end: { group: 3, object: 6 } },
  },
  {
    name: 'a range that goes on',
    filter: { kind: 'absolute', start: { group: 4, object: 1 }, endGroup: 9 },
    range: { start: { group: 4, object: 1 }, end: { group: 4, object: 3 } },
  },
])('is, of $name, what is there', ({ filter, range }) => {
  const parameters = filter === undefined ? {} : { locationFilter: filter };
  expect(fillRange(parameters, { type: 'unfiltered' }, track, largest)).toMatchObject({ track, ...(range as object) });
});

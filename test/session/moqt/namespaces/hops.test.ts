import { describe, expect, it } from 'vitest';
import { draft18 } from '../../../../src/codec/moqt/draft18/draft18.ts';
import { fromHex } from '../../../../src/core/bytes.ts';
import { establish } from '../../../../src/session/establish.ts';
import type { IncomingNamespace, PrefixFeed, Session, SessionHandlers } from '../../../../src/session/types.ts';
import { memoryPair } from '../../../../src/transport/memory.ts';

type Ends = { client: Session; server: Session };

async function pair(
  ids: { client?: bigint; server?: bigint },
  handlers: SessionHandlers,
  protocol = 'moqt-18',
): Promise<Ends> {
  const { client, server } = memoryPair({ protocol });
  const id = (hopId: bigint | undefined) => (hopId === undefined ? {} : { hopId });
  const [a, b] = await Promise.all([
    establish(client, { role: 'client', ...id(ids.client) }),
    establish(server, { role: 'server', authorise: async () => handlers, ...id(ids.server) }),
  ]);
  return { client: a, server: b };
}

/** Accepts and keeps what SUBSCRIBE_NAMESPACE is answered with. */
function feeding(): { handlers: SessionHandlers; feed: Promise<PrefixFeed> } {
  let resolve: (feed: PrefixFeed) => void;
  const feed = new Promise<PrefixFeed>((done) => {
    resolve = done;
  });
  return { handlers: { subscribeNamespace: (request) => resolve(request.accept()) }, feed };
}

const big = 2n ** 62n - 1n;

describe('hops on the wire (draft-lcurley-moq-cluster)', () => {
  it.each([
    ['empty', '08 0008 01 01 61 01 c40b57 00'],
    ['with one relay twice', '08 000b 01 01 61 01 c40b57 03 040804'],
    ['that ends within an id', '08 0009 01 01 61 01 c40b57 01 80'],
  ])('a HOP_PATH %s breaks the session', (_, hex) => {
    expect(() => draft18.controlDecoder().push(fromHex(hex.replaceAll(' ', '')))).toThrow();
  });
});

describe('hops in a session', () => {
  it('come with NAMESPACE, and once more when they change', async () => {
    const { handlers, feed } = feeding();
    const { client, server } = await pair({ client: 1n, server: 2n }, handlers);
    expect([client.peer.hopId, server.peer.hopId]).toEqual([2n, 1n]);
    const list = await client.subscribeNamespace([]);
    const to = await feed;
    to.announce(['a'], [9n, big]);
    to.announce(['a'], [9n, big]);
    to.announce(['a'], [9n, 3n, big]);
    to.announce(['a'], [9n, 3n, big], 7);
    to.announce(['a'], [9n, 3n, big], 7);
    to.withdraw(['a']);
    expect(await list.next()).toEqual({ namespace: ['a'], active: true, hops: [9n, big], cost: 0 });
    expect(await list.next()).toEqual({ namespace: ['a'], active: true, hops: [9n, 3n, big], cost: 0 });
    expect(await list.next()).toEqual({ namespace: ['a'], active: true, hops: [9n, 3n, big], cost: 7 });
    expect(await list.next()).toEqual({ namespace: ['a'], active: false });
    client.close(0, '');
  });

  it('are priced by who says so', async () => {
    const { client, server } = memoryPair({ protocol: 'moqt-18' });
    const [, accepted] = await Promise.all([
      establish(client, { role: 'client', hopId: 1n, relayCost: 12 }),
      establish(server, { role: 'server', hopId: 2n, authorise: async () => ({}) }),
    ]);
    expect(accepted.peer.relayCost).toBe(12);
    accepted.close(0, '');
  });

  it('come with PUBLISH_NAMESPACE; who has none to tell is the first of them', async () => {
    const announced: IncomingNamespace[] = [];
    const handlers: SessionHandlers = {
      publishNamespace: (announcement) => {
        announced.push(announcement);
        announcement.accept();
      },
    };
    const { client } = await pair({ client: 1n, server: 2n }, handlers);
    await client.publishNamespace(['a']);
    await client.publishNamespace(['b'], [7n, 8n]);
    expect(announced.map(({ hops }) => hops)).toEqual([[1n], [7n, 8n]]);
    client.close(0, '');
  });

  it.each([
    { who: 'the client alone declares an id', ids: { client: 1n }, protocol: 'moqt-18' },
    { who: 'the server alone declares an id', ids: { server: 1n }, protocol: 'moqt-18' },
    { who: 'the draft has no place for them', ids: { client: 1n, server: 2n }, protocol: 'moqt-16' },
  ])('are left out where $who', async ({ ids, protocol }) => {
    const { handlers, feed } = feeding();
    const { client, server } = await pair(ids, handlers, protocol);
    const list = await client.subscribeNamespace(['a']);
    (await feed).announce(['a', 'b'], [9n]);
    expect(await list.next()).toEqual({ namespace: ['a', 'b'], active: true });
    if (ids.client === undefined) expect(client.peer.hopId).toBeUndefined();
    if (ids.server === undefined) expect(server.peer.hopId).toBe(protocol === 'moqt-18' ? 1n : undefined);
    client.close(0, '');
  });

  it('that were not agreed on close the session', async () => {
    const { client, server } = await pair({}, { publishNamespace: (announcement) => announcement.accept() });
    const { send } = client.transport.openBidi();
    send.write(
      draft18.encodeMessage({
        type: 'publishNamespace',
        requestId: 0,
        namespace: ['a'],
        parameters: { hopPath: [1n] },
      }),
    );
    expect(await server.closed).toMatchObject({ by: 'local', code: 3 });
  });
});

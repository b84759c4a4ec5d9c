import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { codes } from '../../src/codec/moqt/codes.ts';
import { fromHex } from '../../src/core/bytes.ts';
import type { Relay } from '../../src/relay/start-relay.ts';
import { establish } from '../../src/session/establish.ts';
import type { FetchedObjects, Publication, Session, SessionHandlers } from '../../src/session/types.ts';
import { connectQuic } from '../../src/transport/quic/connect.ts';
import type { Transport } from '../../src/transport/transport.ts';
import { connectWebTransport } from '../../src/transport/webtransport/connect.ts';
import { namespace, nextGroup, object, track } from './harness.ts';
import { openRelay } from './open-relay.ts';

let relay: Relay;
const opened: Transport[] = [];

beforeEach(async () => {
  const own = await openRelay();
  relay = own.relay;
  return own.close;
});
afterEach(() => {
  for (const transport of opened.splice(0)) transport.close({ code: 0, reason: '' });
});

async function dial(alpn: string): Promise<Transport> {
  const trust = { certificateHashes: [fromHex(relay.certificateSha256)] };
  const transport = await connectQuic({ host: '127.0.0.1', port: relay.port, alpn: [alpn], trust });
  opened.push(transport);
  return transport;
}

async function overQuic(path: string, handlers: SessionHandlers = {}, alpn = 'moqt-18'): Promise<Session> {
  return establish(await dial(alpn), { role: 'client', path, handlers });
}

async function overWebTransport(path: string): Promise<Session> {
  const authority = `127.0.0.1:${relay.port}`;
  const transport = await connectWebTransport(await dial('h3'), { authority, path, protocols: ['moqt-18'] });
  return establish(transport, { role: 'client' });
}

async function publisher(): Promise<Publication[]> {
  const publications: Publication[] = [];
  const session = await overQuic('/publish/lv_one', {
    subscribe: (request) => void publications.push(request.accept({ alias: 3 })),
  });
  await session.publishNamespace(namespace);
  return publications;
}

async function ids(fetched: FetchedObjects): Promise<string[]> {
  const out: string[] = [];
  for (let item = await fetched.next(); item !== null; item = await fetched.next())
    if (item.kind === 'object') out.push(`${item.groupId}/${item.object.objectId}`);
  return out;
}

describe.each([
  ['raw QUIC', overQuic],
  ['WebTransport', overWebTransport],
] as const)('over %s', (_, connect) => {
  it('namespaces, a joining fetch larger than every window, datagrams, an update, and the drain', async () => {
    const publications = await publisher();
    const session = await connect('/playback/lv_one');
    const list = await session.subscribeNamespace(namespace.slice(0, 2));
    expect(await list.next()).toEqual({ namespace, active: true });
    const subscription = await session.subscribe(track);
    const [publication] = publications;
    const writer = publication!.openSubgroup({ groupId: 4, subgroupId: 0, priority: 2, endOfGroup: true });
    for (let id = 0; id < 40; id++) {
      while (!writer.write(object(4, id, 50_000))) await writer.stream.writable();
    }
    writer.finish();
    expect(await nextGroup(subscription)).toMatchObject({ group: 4, end: 'fin' });

    const joining = await (await connect('/playback/lv_one')).trackStatus(track);
    expect(joining.largest).toEqual({ group: 4, object: 39 });
    await subscription.update({ forward: false });
    await subscription.update({ forward: true });
    const fetched = await session.fetch({ joining: subscription, groupsBefore: 0 });
    expect(await ids(fetched)).toEqual(Array.from({ length: 40 }, (__, id) => `4/${id}`));

    const datagram = { groupId: 5, priority: 1, endOfGroup: false, object: object(5, 0) };
    expect(publication!.sendDatagram(datagram)).toBe(true);
    expect(await subscription.nextDatagram()).toEqual(datagram);

    const drained = relay.drain({ uri: 'https://other.test', timeoutMs: 100 });
    expect(await session.goaway).toEqual({ uri: 'https://other.test/playback/lv_one', timeoutMs: 100 });
    expect(await session.closed).toMatchObject({ by: 'peer', code: codes.session.goawayTimeout });
    await drained;
  });
});

it.each(['moqt-19', 'moqt-22'])('a viewer of %s with range filters beside one without', async (alpn) => {
  const publications = await publisher();
  const [whole, filtered] = await Promise.all([overQuic('/playback/lv_one'), overQuic('/playback/lv_one', {}, alpn)]);
  const all = await whole.subscribe(track);
  const object5On = { object: [{ set: 0, ranges: [{ start: 1n, end: 1n }, { start: 5n }] }] };
  const some = await filtered.subscribe(track, { rangeFilters: object5On });
  const writer = publications[0]!.openSubgroup({ groupId: 4, subgroupId: 0, priority: 2, endOfGroup: true });
  const count = 40;
  for (let id = 0; id < count; id++) while (!writer.write(object(4, id, 20_000))) await writer.stream.writable();
  writer.finish();
  const every = Array.from({ length: count }, (_, id) => id);
  expect(await nextGroup(all)).toMatchObject({ group: 4, ids: every, end: 'fin' });
  expect(await nextGroup(some)).toMatchObject({ group: 4, ids: [1, ...every.slice(5)], end: 'fin' });
  const range = { start: { group: 4, object: 0 }, end: { group: 4, object: 7 } };
  expect(await ids(await filtered.fetch({ track, ...range }, { rangeFilters: object5On }))).toEqual([
    '4/1',
    '4/5',
    '4/6',
  ]);
});

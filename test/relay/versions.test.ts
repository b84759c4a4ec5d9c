import { afterEach, describe, expect, it } from 'vitest';
import { moqtProtocols, protocolsOf } from '../../src/codec/moqt/dialects.ts';
import { relayVersions } from '../../src/codec/moqt/version-names.ts';
import { fromHex, utf8 } from '../../src/core/bytes.ts';
import type { Relay } from '../../src/relay/start-relay.ts';
import { establish } from '../../src/session/establish.ts';
import type { IncomingSubgroup, MoqObject, Publication, Session, SessionHandlers } from '../../src/session/types.ts';
import { connect as connectTransport } from '../../src/transport/connect.ts';
import { memoryPair } from '../../src/transport/memory.ts';
import { connectQuic } from '../../src/transport/quic/connect.ts';
import type { Transport } from '../../src/transport/transport.ts';
import { connectWebTransport } from '../../src/transport/webtransport/connect.ts';
import { namespace, testRelay, track } from './harness.ts';
import { type OpenRelay, openRelay } from './open-relay.ts';

/** Draft-14 has no place for the default priority of a track: each stream says its own. */
const propertiesBetween = (...protocols: string[]) =>
  protocols.includes('moq-00') ? new Uint8Array(0) : Uint8Array.of(0x0e, 0x80, 0x80);

const pairs = moqtProtocols.flatMap((publisher) => moqtProtocols.map((viewer) => ({ publisher, viewer })));

/** An extension header that takes other bytes in draft-16: PRIOR_OBJECT_ID_GAP = 200, in the form of draft-18. */
const properties = Uint8Array.of(0x3e, 0x80, 0xc8);

describe.each(pairs)('a publisher of $publisher and a viewer of $viewer', ({ publisher, viewer }) => {
  const relay = testRelay({ publisherLingerMs: 20 });

  async function connect(protocol: string, path: string, handlers: SessionHandlers = {}): Promise<Session> {
    const pair = memoryPair({ protocol, path });
    void relay.serve(pair.server);
    return establish(pair.client, { role: 'client', handlers });
  }

  it('exchange objects with properties, statuses, a fetch, and the end', async () => {
    const publications: Publication[] = [];
    const source = await connect(publisher, '/publish/lv_one', {
      subscribe: (request) => {
        publications.push(request.accept({ alias: 9, trackProperties: Uint8Array.of(0x0e, 0x80, 0x80) }));
      },
    });
    await source.publishNamespace(namespace);
    const session = await connect(viewer, '/playback/lv_one');
    expect(protocolsOf([source.version, session.version])).toEqual([publisher, viewer]);
    const subscription = await session.subscribe(track);
    expect(subscription.trackProperties).toEqual(propertiesBetween(publisher, viewer));
    const sent: MoqObject[] = [
      { objectId: 0, status: 'normal', properties, payload: utf8('first') },
      { objectId: 1, status: 'normal', properties: new Uint8Array(0), payload: new Uint8Array(70_000).fill(7) },
      { objectId: 5, status: 'endOfGroup', properties: new Uint8Array(0), payload: new Uint8Array(0) },
    ];
    const writer = publications[0]!.openSubgroup({
      groupId: 3,
      subgroupId: 0,
      priority: 4,
      endOfGroup: true,
      properties: true,
      firstObject: true,
    });
    for (const object of sent) writer.write(object);
    writer.finish();
    const subgroup = (await subscription.nextSubgroup())!;
    expect(subgroup).toMatchObject({ groupId: 3, subgroupId: 0, priority: 4, endOfGroup: true });
    expect(await objects(subgroup)).toEqual(sent);

    const fetched = await session.fetch({ track, start: { group: 3, object: 0 }, end: { group: 3, object: 2 } });
    const first = await fetched.next();
    expect(first).toMatchObject({ kind: 'object', groupId: 3, object: { objectId: 0, properties } });
    expect(await fetched.next()).toMatchObject({ kind: 'object', object: { objectId: 1 } });
    expect(await fetched.next()).toBeNull();

    subscription.unsubscribe();
    const again = await session.subscribe(track);
    source.close(0, 'done');
    expect((await again.done).by).toBe('publisher');
    session.close(0, '');
  });
});

async function objects(subgroup: IncomingSubgroup): Promise<MoqObject[]> {
  const all: MoqObject[] = [];
  for (let next = await subgroup.next(); next !== null; next = await subgroup.next()) all.push(next);
  return all;
}

describe('the version of a connection', () => {
  let own: OpenRelay | undefined;
  const opened: Transport[] = [];
  afterEach(async () => {
    for (const transport of opened.splice(0)) transport.close({ code: 0, reason: '' });
    await own?.close();
  });

  const start = async (versions?: string[]): Promise<Relay> => {
    own = await openRelay({ ...(versions !== undefined && { versions }) });
    return own.relay;
  };
  const dial = async ({ port, certificateSha256 }: Relay, alpn: string[]): Promise<Transport> => {
    const trust = { certificateHashes: [fromHex(certificateSha256)] };
    const transport = await connectQuic({ host: '127.0.0.1', port, alpn, trust });
    opened.push(transport);
    return transport;
  };
  const overWebTransport = async (to: Relay, protocols: string[]): Promise<Session> => {
    const authority = `127.0.0.1:${to.port}`;
    const base = await dial(to, ['h3']);
    return establish(await connectWebTransport(base, { authority, path: '/playback/lv_one', protocols }), {
      role: 'client',
    });
  };

  it.each([
    { offer: ['moqt-16'], byAlpn: 'moqt-16', byClient: 'moqt-16' },
    { offer: ['moqt-18', 'moqt-16'], byAlpn: 'moqt-18', byClient: 'moqt-18' },
    { offer: ['moqt-16', 'moqt-18'], byAlpn: 'moqt-18', byClient: 'moqt-16' },
    { offer: ['moqt-99', 'moqt-16'], byAlpn: 'moqt-16', byClient: 'moqt-16' },
    { offer: ['moq-lite-06', 'moq-lite-04', 'moq-lite-05'], byAlpn: 'moq-lite-05', byClient: 'moq-lite-04' },
    { offer: ['moq-lite-05', 'moqt-18'], byAlpn: 'moqt-18', byClient: 'moq-lite-05' },
    { offer: ['moq-00'], byAlpn: 'moqt-14', byClient: 'moqt-14' },
  ])('of $offer is $byAlpn by ALPN and $byClient by WT-Protocol', async ({ offer, byAlpn, byClient }) => {
    const to = await start();
    const session = await establish(await dial(to, offer), { role: 'client', path: '/playback/lv_one' });
    expect(session.version).toBe(byAlpn);
    expect((await overWebTransport(to, offer)).version).toBe(byClient);
  });

  it('is agreed on in SETUP where WebTransport names none', async () => {
    const to = await start();
    expect((await overWebTransport(to, [])).version).toBe('moqt-14');
  });

  const overWebSocket = async (to: Relay, versions: string[]): Promise<Transport> => {
    const transport = await connectTransport(`ws://127.0.0.1:${to.httpPort}/playback/lv_one`, { versions });
    opened.push(transport);
    return transport;
  };

  it.each([
    { pinned: ['moqt-16'], offer: ['moqt-18', 'moqt-16'], chosen: 'moqt-16' },
    { pinned: ['moqt-14'], offer: ['moqt-18', 'moq-00'], chosen: 'moqt-14' },
    { pinned: ['moqt-22', 'moqt-18'], offer: ['moqt-18', 'moqt-22'], chosen: 'moqt-18' },
    { pinned: ['moq-lite-04'], offer: ['moq-lite-05', 'moq-lite-04', 'moqt-18'], chosen: 'moq-lite-04' },
  ])('is $chosen of $offer over WebSocket where the relay is told $pinned', async ({ pinned, offer, chosen }) => {
    const to = await start(pinned);
    const session = await establish(await overWebSocket(to, offer), { role: 'client' });
    expect(session.version).toBe(chosen);
    const others = protocolsOf(relayVersions.filter((version) => !pinned.includes(version)));
    await expect(overWebSocket(to, others)).rejects.toMatchObject({ name: 'StreamsError' });
  });

  it('is one of those that the relay is told to offer', async () => {
    const to = await start(['moqt-16']);
    await expect(dial(to, ['moqt-18'])).rejects.toMatchObject({ name: 'StreamsError' });
    await expect(overWebTransport(to, ['moqt-18'])).rejects.toMatchObject({ name: 'StreamsError' });
    await expect(overWebTransport(to, [])).rejects.toMatchObject({ name: 'StreamsError' });
    expect((await overWebTransport(to, ['moqt-18', 'moqt-16'])).version).toBe('moqt-16');
  });
});

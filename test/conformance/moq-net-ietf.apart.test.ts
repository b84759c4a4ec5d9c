import { beforeAll, describe, expect, onTestFinished } from 'vitest';
import type { Authoriser } from '../../src/access/grant.ts';
import { everythingBelow } from '../../src/access/pattern.ts';
import { fromUtf8, utf8 } from '../../src/core/bytes.ts';
import type { Relay } from '../../src/relay/start-relay.ts';
import { establish } from '../../src/session/establish.ts';
import type { Publication, Session, SessionHandlers } from '../../src/session/types.ts';
import { connect } from '../../src/transport/connect.ts';
import { memoryPair } from '../../src/transport/memory.ts';
import type { Transport } from '../../src/transport/transport.ts';
import { Broadcast, Connection, Path, Time } from '../helpers/moq-net.ts';
import { webTransportOver } from '../helpers/web-transport-over.ts';
import { testRelay } from '../relay/harness.ts';
import { openRelay } from '../relay/open-relay.ts';
import { conformanceCases } from './expected-failures.ts';

const everythingAuthoriser: Authoriser = {
  async authorise({ path }) {
    const root = path.replace(/[?].*/, '').split('/').filter(Boolean);
    const all = [everythingBelow(root)];
    return { kind: 'both', root, publish: all, subscribe: all, lapsed: () => undefined, watch: () => () => {} };
  },
};

type Connected = Awaited<ReturnType<typeof Connection.connect>>;

/** How the clients of both makers reach one relay. */
type Net = { theirs(): Promise<Connected>; ours(): Promise<Transport> };

const limits = { publisherLingerMs: 20 };
const root = 'https://relay/room';

function inMemory(protocol: string): Net {
  const relay = testRelay(limits, everythingAuthoriser);
  const dial = (version: string): Transport => {
    const pair = memoryPair({ protocol: version, path: '/room' });
    void relay.serve(pair.server);
    onTestFinished(() => pair.drop());
    return pair.client;
  };
  return {
    theirs: () => Connection.connect(new URL(root), { transport: webTransportOver(dial(protocol)) }),
    ours: async () => dial('moqt-18'),
  };
}

/** The relay is told nothing: the client chooses, as it comes. */
const anyVersion = 'any version';

/** A relay that listens, and their own QMux over a WebSocket. */
function overWebSocket(protocol: string): Net {
  let relay: Relay;
  beforeAll(async () => {
    const pinned = protocol === anyVersion ? {} : { versions: [protocol] };
    const opened = await openRelay({ authoriser: everythingAuthoriser, limits, ...pinned });
    relay = opened.relay;
    return opened.close;
  });
  return {
    theirs: () => Connection.connect(new URL(`http://127.0.0.1:${relay.httpPort}/room`)),
    ours: () => {
      const versions = [protocol === anyVersion ? 'moqt-18' : protocol];
      return connect(`ws://127.0.0.1:${relay.httpPort}/room`, { versions });
    },
  };
}

/** What both of us speak of MoQT, by subprotocol; '' is a client of draft-14 that offers none. */
const versions = [
  ...['moqt-20', 'moqt-19', 'moqt-18', 'moqt-16', ''].map((protocol) => ({ protocol, over: 'memory' as const })),
  ...['moqt-18', 'moqt-16', anyVersion].map((protocol) => ({ protocol, over: 'WebSocket' as const })),
];

const cases = conformanceCases('@moq/net');

describe.each(versions)('@moq/net in $protocol over $over', ({ protocol, over }) => {
  const version = over === 'memory' ? protocol : `${protocol} over ${over}`;
  const net = (over === 'memory' ? inMemory : overWebSocket)(protocol);
  const theirs = async () => {
    const connection = await net.theirs();
    onTestFinished(() => connection.close());
    return connection;
  };
  const ours = async (handlers: SessionHandlers = {}): Promise<Session> => {
    const session = await establish(await net.ours(), { role: 'client', handlers });
    onTestFinished(() => session.close(0, ''));
    return session;
  };
  const at = (ms: number) => new Time.Timestamp(ms, Time.Timescale.MILLI);

  cases.it(version, 'publishes to a viewer of ours', async () => {
    const publisher = await theirs();
    const broadcast = new Broadcast.Producer();
    const track = broadcast.createTrack('chat');
    publisher.publish(Path.from('live/theirs'), broadcast);
    track.appendGroup().writeString('hello');
    const viewer = await ours();
    const namespaces = await viewer.subscribeNamespace(['live']);
    expect(await namespaces.next()).toMatchObject({ namespace: ['live', 'theirs'], active: true });
    const subscription = await viewer.subscribe({ namespace: ['live', 'theirs'], name: 'chat' });
    track.appendGroup().writeString('again');
    const first = await (await subscription.nextSubgroup())!.next();
    expect(['hello', 'again']).toContain(fromUtf8(first!.payload));
    broadcast.close();
    expect(await namespaces.next()).toMatchObject({ namespace: ['live', 'theirs'], active: false });
  });

  // Nothing is published there before the subscription is there.
  if (over === 'memory') {
    cases.it(version, 'publishes to itself', async () => {
      const publisher = await theirs();
      const broadcast = new Broadcast.Producer();
      const path = Path.from('live/alice');
      const track = broadcast.createTrack('chat', { timescale: Time.Timescale.MILLI });
      publisher.publish(path, broadcast);
      const viewer = await theirs();
      const announced = viewer.announced();
      expect(await announced.next()).toEqual({ path, active: true });
      const subscriber = viewer.consume(path).track('chat').subscribe({ latencyMax: 5000 });
      const group = track.appendGroup();
      group.writeFrame({ payload: utf8('one'), timestamp: at(1000) });
      group.writeFrame({ payload: utf8('two'), timestamp: at(1040) });
      group.close();
      const received = (await subscriber.recvGroup())!;
      const frames = [await received.readFrame(), await received.readFrame()];
      expect(frames.map((frame) => fromUtf8(frame!.payload))).toEqual(['one', 'two']);
      broadcast.close();
      expect(await announced.next()).toEqual({ path, active: false });
    });

    cases.it(version, 'plays what a publisher of ours sends', async () => {
      const publications: Publication[] = [];
      const publisher = await ours({
        subscribe: (request) => {
          const publication = request.accept({ alias: 3 });
          publications.push(publication);
          const writer = publication.openSubgroup({
            groupId: 9,
            subgroupId: 0,
            priority: 1,
            endOfGroup: true,
            firstObject: true,
          });
          writer.write({ objectId: 0, status: 'normal', properties: undefined, payload: utf8('moqt') });
          writer.finish();
        },
      });
      await publisher.publishNamespace(['live', 'ours']);
      const viewer = await theirs();
      const announced = viewer.announced();
      expect(await announced.next()).toEqual({ path: 'live/ours', active: true });
      const subscriber = viewer.consume(Path.from('live/ours')).track('any').subscribe();
      expect(await subscriber.readString()).toBe('moqt');
      publisher.close(0, '');
      expect(await announced.next()).toEqual({ path: 'live/ours', active: false });
    });
  }

  cases.it(version, 'joins what is under way', async () => {
    const publications: Publication[] = [];
    const publisher = await ours({ subscribe: (request) => void publications.push(request.accept({ alias: 3 })) });
    await publisher.publishNamespace(['live', 'late']);
    const early = await (await ours()).subscribe({ namespace: ['live', 'late'], name: 'any' });
    let groupId = 9;
    const publishGroup = () => {
      const header = { groupId: groupId++, subgroupId: 0, priority: 1, endOfGroup: true, firstObject: true };
      const writer = publications[0]!.openSubgroup(header);
      writer.write({ objectId: 0, status: 'normal', properties: undefined, payload: utf8('moqt') });
      writer.finish();
    };
    publishGroup();
    await (await early.nextSubgroup())!.next();
    const viewer = await theirs();
    expect(await viewer.announced().next()).toEqual({ path: 'live/late', active: true });
    const subscriber = viewer.consume(Path.from('live/late')).track('any').subscribe();
    const going = setInterval(publishGroup, 20);
    onTestFinished(() => clearInterval(going));
    expect(await subscriber.readString()).toBe('moqt');
  });
});

cases.over();

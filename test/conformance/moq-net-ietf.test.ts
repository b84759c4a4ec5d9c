import { describe, expect, onTestFinished } from 'vitest';
import type { Authoriser } from '../../src/access/grant.ts';
import { everythingBelow } from '../../src/access/pattern.ts';
import { fromUtf8, utf8 } from '../../src/core/bytes.ts';
import { establish } from '../../src/session/establish.ts';
import type { Publication, Session, SessionHandlers } from '../../src/session/types.ts';
import { memoryPair } from '../../src/transport/memory.ts';
import type { Transport } from '../../src/transport/transport.ts';
import { Broadcast, Connection, Path, Time } from '../helpers/moq-net.ts';
import { webTransportOver } from '../helpers/web-transport-over.ts';
import { testRelay } from '../relay/harness.ts';
import { conformanceCases } from './expected-failures.ts';

/** What both of us speak of MoQT, by subprotocol; '' is a client of draft-14 that offers none. */
const versions = [
  { protocol: 'moqt-20', theirs: 'moqt-20' },
  { protocol: 'moqt-19', theirs: 'moqt-19' },
  { protocol: 'moqt-18', theirs: 'moqt-18' },
  { protocol: 'moqt-16', theirs: 'moqt-16' },
  { protocol: '', theirs: 'moq-00' },
];

const everythingAuthoriser: Authoriser = {
  async authorise({ path }) {
    const root = path.replace(/[?].*/, '').split('/').filter(Boolean);
    const all = [everythingBelow(root)];
    return { kind: 'both', root, publish: all, subscribe: all, lapsed: () => undefined, watch: () => () => {} };
  },
};

const cases = conformanceCases('@moq/net');

describe.each(versions)('@moq/net in $protocol', ({ protocol }) => {
  const url = 'https://relay/room';
  const relay = testRelay({ publisherLingerMs: 20 }, everythingAuthoriser);
  const dial = (version: string): Transport => {
    const pair = memoryPair({ protocol: version, path: '/room' });
    void relay.serve(pair.server);
    onTestFinished(() => pair.drop());
    return pair.client;
  };
  const theirs = async () => {
    const transport = webTransportOver(dial(protocol));
    const connection = await Connection.connect(new URL(url), { transport });
    onTestFinished(() => connection.close());
    return connection;
  };
  const ours = async (handlers: SessionHandlers = {}): Promise<Session> => {
    const session = await establish(dial('moqt-18'), { role: 'client', handlers });
    onTestFinished(() => session.close(0, ''));
    return session;
  };
  const at = (ms: number) => new Time.Timestamp(ms, Time.Timescale.MILLI);

  cases.it(protocol, 'publishes to itself', async () => {
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

  cases.it(protocol, 'publishes to a viewer of ours', async () => {
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

  cases.it(protocol, 'plays what a publisher of ours sends', async () => {
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
});

cases.over();

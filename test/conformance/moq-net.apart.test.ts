import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Authoriser } from '../../src/access/grant.ts';
import { everythingBelow } from '../../src/access/pattern.ts';
import { liteProtocols } from '../../src/codec/moqt/lite/version.ts';
import { fromHex, fromUtf8, utf8 } from '../../src/core/bytes.ts';
import type { Relay } from '../../src/relay/start-relay.ts';
import { establish } from '../../src/session/establish.ts';
import { connect } from '../../src/transport/connect.ts';
import { Broadcast, Connection, Path, Time } from '../helpers/moq-net.ts';
import { webTransportOver } from '../helpers/web-transport-over.ts';
import { openRelay } from '../relay/open-relay.ts';

/** The path is the root, and all below it is anybody's. */
const everythingAuthoriser: Authoriser = {
  async authorise({ path }) {
    const root = path.replace(/[?].*/, '').split('/').filter(Boolean);
    const all = [everythingBelow(root)];
    return { kind: 'both', root, publish: all, subscribe: all, lapsed: () => undefined, watch: () => () => {} };
  },
};

/** `@moq/net` is a client of another maker: it publishes to our relay, and plays from it. */
describe.each(liteProtocols)('@moq/net in %s', (version) => {
  let relay: Relay;
  beforeAll(async () => {
    const opened = await openRelay({ authoriser: everythingAuthoriser, versions: [version, 'moqt-18'] });
    relay = opened.relay;
    return opened.close;
  });

  const dial = async (protocol: string) =>
    connect(`https://127.0.0.1:${relay.port}/room`, {
      versions: [protocol],
      certificateHashes: [fromHex(relay.certificateSha256)],
    });
  const overWebTransport = async () => {
    const transport = webTransportOver(await dial(version));
    const connection = await Connection.connect(new URL(`https://127.0.0.1:${relay.port}/room`), { transport });
    onTestFinished(() => connection.close());
    return connection;
  };
  const overWebSocket = async () => {
    const url = new URL(`http://127.0.0.1:${relay.httpPort}/room`);
    const connection = await Connection.connect(url);
    onTestFinished(() => connection.close());
    return connection;
  };

  it.each([
    ['WebTransport', overWebTransport],
    ['WebSocket', overWebSocket],
  ])('publishes and plays over %s', async (_, dialed) => {
    const publisher = await dialed();
    expect(publisher.version).toBe(version);
    const broadcast = new Broadcast.Producer();
    const path = Path.from('live/alice');
    const track = broadcast.createTrack('chat', { timescale: Time.Timescale.MILLI });
    publisher.publish(path, broadcast);
    const first = track.appendGroup();
    const at = (ms: number) => new Time.Timestamp(ms, Time.Timescale.MILLI);
    first.writeFrame({ payload: utf8('one'), timestamp: at(1000) });
    first.writeFrame({ payload: utf8('two'), timestamp: at(1040) });

    const viewer = await dialed();
    const announced = viewer.announced();
    expect(await announced.next()).toEqual({ path, active: true });
    const subscriber = viewer.consume(path).track('chat').subscribe({ latencyMax: 5000 });
    const group = (await subscriber.recvGroup())!;
    const frames = [await group.readFrame(), await group.readFrame()];
    expect(frames.map((frame) => fromUtf8(frame!.payload))).toEqual(['one', 'two']);
    if (version === 'moq-lite-05')
      expect(frames.map((frame) => frame!.timestamp.as(Time.Timescale.MILLI))).toEqual([1000, 1040]);
    first.close();
    expect(await group.readFrame()).toBeUndefined();
    const next = track.appendGroup();
    next.writeFrame({ payload: utf8('three'), timestamp: at(2000) });
    next.close();
    expect(fromUtf8((await (await subscriber.recvGroup())!.readFrame())!.payload)).toBe('three');

    if (version === 'moq-lite-05') {
      const fetched = await viewer.consume(path).track('chat').fetchGroup(0);
      expect(fromUtf8((await fetched.readFrame())!.payload)).toBe('one');
    }
    broadcast.close();
    expect(await announced.next()).toEqual({ path, active: false });
  });

  it('hears our estimates by PROBE, where the version says that there are some', async () => {
    const viewer = await overWebTransport();
    if (version === 'moq-lite-04') expect(viewer.probe.peek()).toEqual({});
    else await expect.poll(() => viewer.probe.peek().rtt, { timeout: 5000 }).toBeGreaterThan(0);
  });

  it('is played by a viewer of MoQT, and plays what a publisher of MoQT sends', async () => {
    const theirs = await overWebTransport();
    const ours = await establish(await dial('moqt-18'), {
      role: 'client',
      handlers: {
        subscribe: (request) => {
          const writer = request
            .accept({ alias: 3 })
            .openSubgroup({ groupId: 9, subgroupId: 0, priority: 1, endOfGroup: true });
          writer.write({ objectId: 0, status: 'normal', properties: undefined, payload: utf8('moqt') });
          writer.finish();
        },
      },
    });
    onTestFinished(() => ours.close(0, ''));
    await ours.publishNamespace(['live', 'ours']);
    const broadcast = new Broadcast.Producer();
    const track = broadcast.createTrack('chat');
    theirs.publish(Path.from('live/theirs'), broadcast);
    track.appendGroup().writeString('lite');

    const namespaces = await ours.subscribeNamespace(['live']);
    const seen = [await namespaces.next(), await namespaces.next()].map((event) => event!.namespace.join('/'));
    expect(seen.sort()).toEqual(['live/ours', 'live/theirs']);
    const subscription = await ours.subscribe({ namespace: ['live', 'theirs'], name: 'chat' });
    const object = await (await subscription.nextSubgroup())!.next();
    expect(fromUtf8(object!.payload)).toBe('lite');
    const subscriber = theirs.consume(Path.from('live/ours')).track('any').subscribe();
    expect(await subscriber.readString()).toBe('moqt');
  });
});

import { expect, it, onTestFinished } from 'vitest';
import { memoryPair } from '../../src/transport/memory.ts';
import { Broadcast, Connection, Path } from '../helpers/moq-net.ts';
import { webTransportOver } from '../helpers/web-transport-over.ts';
import { node } from '../relay/cluster/mesh.ts';
import { eventually } from '../relay/eventually.ts';

type Connected = Awaited<ReturnType<typeof Connection.connect>>;

type Subscriber = ReturnType<ReturnType<ReturnType<Connected['consume']>['track']>['subscribe']>;

const path = Path.from('live/alice');

/** As their players do: takes the broadcast up when it is announced, leaves it when it is withdrawn, and reads what is newer. */
async function play(viewer: Connected, seen: string[]): Promise<void> {
  const announced = viewer.announced();
  let subscriber: Subscriber | undefined;
  for (let next = await announced.next(); next !== undefined; next = await announced.next()) {
    subscriber?.close();
    subscriber = next.active ? viewer.consume(path).track('chat').subscribe({ latencyMax: 5000 }) : undefined;
    if (subscriber !== undefined) void read(subscriber, seen).catch(() => {});
  }
}

async function read(subscriber: Subscriber, seen: string[]): Promise<void> {
  for (let group = await subscriber.nextGroup(); group !== undefined; group = await subscriber.nextGroup()) {
    const text = await group.readString();
    if (text !== undefined) seen.push(text);
  }
}

/** Their publishers count groups from 0 each time. Drafts of MoQT later than 16 are left out: it reads LARGEST_OBJECT wrongly there. */
it.each(['moq-lite-05', 'moq-lite-04', 'moqt-16', ''])(
  '@moq/net in %s: a player goes on with a publisher that came back, and with one that took over',
  async (protocol) => {
    const relay = node(1n);
    onTestFinished(() => relay.close());
    const connect = async (): Promise<Connected> => {
      const pair = memoryPair({ protocol, path: '/' });
      void relay.serve(pair.server);
      return Connection.connect(new URL('https://relay/'), { transport: webTransportOver(pair.client) });
    };
    const seen: string[] = [];
    const viewer = await connect();
    onTestFinished(() => viewer.close());
    play(viewer, seen).catch(() => {});
    for (const name of ['first', 'second', 'third']) {
      const publisher = await connect();
      onTestFinished(() => publisher.close());
      const broadcast = new Broadcast.Producer();
      const track = broadcast.createTrack('chat');
      publisher.publish(path, broadcast);
      let count = 0;
      const sending = setInterval(() => track.appendGroup().writeString(`${name} ${count++}`), 10);
      await eventually(() => expect(seen.filter((text) => text.startsWith(name)).length).toBeGreaterThan(5));
      clearInterval(sending);
      // Not only what is numbered higher than all before.
      expect(seen.some((text) => Number(/^\w+ (\d+)$/.exec(text)?.[1]) < 3 && text.startsWith(name))).toBe(true);
      if (name === 'first') publisher.close();
    }
    const names = seen.map((text) => text.split(' ')[0]);
    expect(names.filter((name, i) => name !== names[i - 1])).toEqual(['first', 'second', 'third']);
  },
);

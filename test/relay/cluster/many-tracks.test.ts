import { afterEach, expect, it } from 'vitest';
import type { Authoriser } from '../../../src/access/grant.ts';
import { everythingBelow } from '../../../src/access/pattern.ts';
import type { ClusterSettings } from '../../../src/relay/cluster/start-cluster.ts';
import type { Relay } from '../../../src/relay/start-relay.ts';
import { establish } from '../../../src/session/establish.ts';
import type { Session, SessionHandlers } from '../../../src/session/types.ts';
import { connect } from '../../../src/transport/connect.ts';
import { eventually } from '../eventually.ts';
import { object } from '../harness.ts';
import { openRelay } from '../open-relay.ts';

const undo: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

const everything = [everythingBelow([])];
const authoriser: Authoriser = {
  authorise: async ({ path }) => ({
    kind: 'both',
    cluster: path.includes('cluster'),
    publish: everything,
    subscribe: everything,
    lapsed: () => undefined,
    watch: () => () => {},
  }),
};

async function start(cluster: Partial<ClusterSettings>): Promise<Relay> {
  const settings = { connect: [], discover: false, authorityFiles: [], insecure: true, ...cluster };
  const { relay, close } = await openRelay({ authoriser, cluster: settings });
  undo.push(close);
  return relay;
}

async function client(relay: Relay, handlers: SessionHandlers = {}): Promise<Session> {
  const transport = await connect(`moqt://127.0.0.1:${relay.port}/`, { versions: ['moqt-18'] });
  const session = await establish(transport, { role: 'client', path: '/', handlers });
  undo.push(() => session.close(0, ''));
  return session;
}

/** Each session has as many tracks as a session may; all of them together more than a connection has streams at first. */
const sessions = 4;
const tracks = 45;

it.each(['which was dialled', 'which dialled'])(
  'a relay, %s, has more tracks of another under way than a connection of strangers may have streams',
  { timeout: 30_000 },
  async (who) => {
    const dialled = await start({ node: 'https://dialled.example' });
    const dialling = await start({ connect: [`https://127.0.0.1:${dialled.port}/`] });
    const [there, here] = who === 'which dialled' ? [dialled, dialling] : [dialling, dialled];
    await eventually(() => expect(here.stats().peers).toBe(1));
    const received: Promise<unknown>[] = [];
    for (let i = 0; i < sessions; i++) {
      const namespace = ['demo', String(i)];
      const publisher = await client(there, {
        subscribe(request) {
          const publication = request.accept({ alias: Number(request.track.name) });
          // The group stays open, and so do its streams.
          const writer = publication.openSubgroup({ groupId: 1, subgroupId: 0, priority: 9, endOfGroup: false });
          writer.write(object(1, 0));
          void request.cancelled.then(() => writer.reset(0));
        },
      });
      await publisher.publishNamespace(namespace);
      const viewer = await client(here);
      for (let name = 1; name <= tracks; name++) {
        const subscription = await viewer.subscribe({ namespace, name: String(name) }, { rendezvousMs: 5000 });
        received.push(subscription.nextSubgroup().then((subgroup) => subgroup!.next()));
      }
    }
    const objects = await Promise.all(received);
    expect(objects).toHaveLength(sessions * tracks);
    expect(here.stats().tracks).toBe(sessions * tracks);
  },
);

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Authoriser } from '../../../src/access/grant.ts';
import { everythingBelow } from '../../../src/access/pattern.ts';
import { requestErrorCodes } from '../../../src/codec/moqt/codes.ts';
import type { RelayLimits } from '../../../src/relay/limits.ts';
import { type Relay, startRelay } from '../../../src/relay/start-relay.ts';
import { establish } from '../../../src/session/establish.ts';
import type { Publication, Session, SessionHandlers } from '../../../src/session/types.ts';
import { connect } from '../../../src/transport/connect.ts';
import type { Transport } from '../../../src/transport/transport.ts';
import { capturingLogger, temporaryDir } from '../../control/helpers.ts';
import { eventually } from '../eventually.ts';
import { namespace, object, openAuthoriser, track } from '../harness.ts';

/** `/anyone` may do everything. */
const authoriser: Authoriser = {
  async authorise(request) {
    if (request.path !== '/anyone') return openAuthoriser.authorise(request);
    const all = [everythingBelow(['stream'])];
    return { kind: 'both', publish: all, subscribe: all, lapsed: () => undefined, watch: () => () => {} };
  },
};

const limits = {
  connectBurst: 100_000,
  maxSessions: 30,
  handshakeMs: 1000,
  maxNamespacesPerSession: 50,
  maxGroupBytes: 1 << 20,
  cacheBytes: 1 << 20,
} satisfies Partial<RelayLimits>;

let dir: Awaited<ReturnType<typeof temporaryDir>>;
let relay: Relay;
let log: ReturnType<typeof capturingLogger>;
const opened: Transport[] = [];

async function start(change: Partial<RelayLimits> = {}): Promise<void> {
  const all = { ...limits, ...change };
  relay = await startRelay({ host: '127.0.0.1', port: 0, dataDir: dir.path, authoriser, logger: log, limits: all });
}

beforeEach(async () => {
  dir = await temporaryDir();
  log = capturingLogger();
});
afterEach(async () => {
  for (const transport of opened.splice(0)) transport.close({ code: 0, reason: '' });
  await relay.close();
  await dir[Symbol.asyncDispose]();
});

async function dial(scheme: 'https' | 'moqt', path: string): Promise<Transport> {
  const url = `${scheme}://127.0.0.1:${relay.port}${path}`;
  const transport = await connect(url, { versions: ['moqt-18'], trust: { insecure: true } });
  opened.push(transport);
  return transport;
}

async function session(scheme: 'https' | 'moqt', path: string, handlers: SessionHandlers = {}): Promise<Session> {
  const transport = await dial(scheme, path);
  return establish(transport, { role: 'client', path, authority: `127.0.0.1:${relay.port}`, handlers });
}

/** Accepts what is subscribed, each under an alias of its own. */
function publications(into: Publication[]): SessionHandlers {
  return { subscribe: (request) => void into.push(request.accept({ alias: into.length })) };
}

/** A broadcast with a viewer who expects every object of it. */
async function playing() {
  const publishing: Publication[] = [];
  const publisher = await session('moqt', '/publish/lv_one', publications(publishing));
  await publisher.publishNamespace(namespace);
  const subscription = await (await session('https', '/playback/lv_one')).subscribe(track);
  let sent = 0;
  let seen = 0;
  const gaps: string[] = [];
  let writer: ReturnType<Publication['openSubgroup']> | undefined;
  const timer = setInterval(() => {
    const [group, id] = [Math.floor(sent / 10), sent % 10];
    if (id === 0) {
      writer?.finish();
      writer = publishing[0]!.openSubgroup({ groupId: group, subgroupId: 0, priority: 1, endOfGroup: true });
    }
    writer!.write(object(group & 0xff, id, 1000));
    sent++;
  }, 5);
  void (async () => {
    for (let subgroup = await subscription.nextSubgroup(); subgroup; subgroup = await subscription.nextSubgroup()) {
      const read = async (): Promise<void> => {
        for (let id = 0; ; id++) {
          const next = await subgroup!.next().catch((error: Error) => {
            gaps.push(`group ${subgroup!.groupId}: ${error.message}`);
            return null;
          });
          if (next === null) return void (id === 10 || gaps.push(`group ${subgroup!.groupId}: ended at ${id}`));
          if (next.objectId !== id) gaps.push(`group ${subgroup!.groupId}: ${next.objectId} for ${id}`);
          seen++;
        }
      };
      await read();
    }
  })();
  await eventually(() => expect(seen).toBeGreaterThan(5));
  return {
    /** That it went on all the while, and still does. */
    async lostNothing(): Promise<void> {
      const { objectsDropped } = relay.stats();
      const upTo = sent + 20;
      await eventually(() => expect(seen).toBeGreaterThan(upTo));
      clearInterval(timer);
      await eventually(() => expect(seen).toBe(sent));
      expect(gaps).toEqual([]);
      expect(objectsDropped).toBe(0);
    },
  };
}

describe('a flood of', () => {
  it('connections fills the relay up to --max-sessions; the silent ones are gone at the handshake deadline', async () => {
    await start();
    const show = await playing();
    const outcomes = await Promise.all(
      Array.from({ length: 300 }, (_, i) =>
        (i % 3 === 0
          ? dial('moqt', '/anyone').then(() => 'silent')
          : session('moqt', '/anyone').then(() => 'session')
        ).catch(() => 'out'),
      ),
    );
    expect(relay.stats().sessions).toBeLessThanOrEqual(limits.maxSessions);
    expect(outcomes.filter((outcome) => outcome === 'out').length).toBeGreaterThan(100);
    await show.lostNothing();
    // Those that never said SETUP leave room again.
    const established = outcomes.filter((outcome) => outcome === 'session').length;
    await eventually(() => expect(relay.stats().sessions).toBe(2 + established));
    expect(established).toBeLessThan(limits.maxSessions - 2);
    await session('https', '/anyone');
    expect(log.lines.filter((line) => line.startsWith('warn')).length).toBeLessThan(100);
  });

  it('connections of one address is turned away at its rate, and costs few lines', async () => {
    await start({ connectBurst: 20, connectsPerSecond: 0.001, maxSessions: 1000 });
    const show = await playing();
    const knocks = Array.from({ length: 200 }, () => session('moqt', '/anyone').catch(() => undefined));
    const inside = (await Promise.all(knocks)).filter((each) => each !== undefined);
    expect(inside.length).toBe(18);
    expect(relay.stats().sessions).toBe(20);
    await show.lostNothing();
    expect(log.lines.filter((line) => line.includes('too many from this address')).length).toBeLessThan(60);
  });

  it('sessions that come and go costs a bounded number of lines', async () => {
    await start();
    const show = await playing();
    const before = log.lines.length;
    const startedAt = performance.now();
    for (let round = 0; round < 15; round++) {
      const some = await Promise.all(Array.from({ length: 20 }, () => session('moqt', '/anyone')));
      for (const one of some) one.close(0, 'bye');
      await eventually(() => expect(relay.stats().sessions).toBe(2));
    }
    const seconds = Math.ceil((performance.now() - startedAt) / 1000) + 1;
    expect(log.lines.length - before).toBeLessThanOrEqual(110 * seconds);
    await show.lostNothing();
  });

  it('streams that say nothing, or begin and stay', async () => {
    await start();
    const show = await playing();
    const transport = await dial('moqt', '/anyone');
    const attacker = await establish(transport, { role: 'client', path: '/anyone', authority: 'localhost' });
    for (let i = 0; i < 2000; i++) {
      transport.openUni().write(Uint8Array.of(0x14, 1, i & 0x3f));
      transport.openBidi().send.write(Uint8Array.of(0x03));
    }
    await show.lostNothing();
    attacker.close(0, 'bye');
    await eventually(() => expect(relay.stats().sessions).toBe(2));
  });

  it('subscriptions has no more than its share of one session', async () => {
    await start();
    const show = await playing();
    const attacker = await session('moqt', '/anyone');
    let refused = 0;
    for (let i = 0; i < 2000; i++)
      attacker
        .subscribe({ namespace: ['stream', 'x', `${i}`], name: 'none' }, { rendezvousMs: 60_000 })
        .catch((error: { requestCode?: number }) => {
          if (error.requestCode === requestErrorCodes.excessiveLoad) refused++;
        });
    await eventually(() => expect(refused).toBe(2000 - 64));
    expect(relay.stats()).toMatchObject({ subscriptions: 1, tracks: 1 });
    await show.lostNothing();
  });

  it('announcements likewise, and they go with their session', async () => {
    await start();
    const show = await playing();
    const attacker = await session('https', '/anyone');
    const answers = await Promise.allSettled(
      Array.from({ length: 1000 }, (_, i) => attacker.publishNamespace(['stream', 'x', `${i}`])),
    );
    expect(answers.filter(({ status }) => status === 'fulfilled').length).toBe(50);
    expect(relay.stats().namespaces).toBe(51);
    attacker.close(0, 'bye');
    await eventually(() => expect(relay.stats().namespaces).toBe(1));
    await show.lostNothing();
  });

  it('tiny datagrams stays within the cache', async () => {
    await start();
    const show = await playing();
    const publishing: Publication[] = [];
    const attacker = await session('moqt', '/publish/lv_two', publications(publishing));
    const other = { namespace: ['stream', 'org_a', 'lv_two'], name: 'd' };
    await attacker.publishNamespace(other.namespace);
    await (await session('moqt', '/playback/lv_two')).subscribe(other);
    const { objectsIn } = relay.stats();
    for (let round = 0; round < 100; round++) {
      for (let i = 0; i < 200; i++)
        publishing[0]!.sendDatagram({
          groupId: round >> 3,
          priority: 1,
          endOfGroup: false,
          object: object(0, round * 200 + i, 2),
        });
      await new Promise((resolve) => setImmediate(resolve));
      expect(relay.stats().cacheBytes).toBeLessThan(limits.cacheBytes + limits.maxGroupBytes + (4 << 20));
    }
    await eventually(() => expect(relay.stats().objectsIn).toBeGreaterThan(objectsIn + 1000));
    await show.lostNothing();
  });

  it('tiny objects in one group is kept no further than a group may be, and a viewer who stalls in it costs no more', async () => {
    await start();
    const show = await playing();
    const publishing: Publication[] = [];
    const attacker = await session('moqt', '/publish/lv_two', publications(publishing));
    const other = { namespace: ['stream', 'org_a', 'lv_two'], name: 't' };
    await attacker.publishNamespace(other.namespace);
    await (await session('moqt', '/playback/lv_two')).subscribe(other);
    const before = process.memoryUsage();
    const writer = publishing[0]!.openSubgroup({ groupId: 1, subgroupId: 0, priority: 1, endOfGroup: false });
    let isGone = false;
    void writer.stream.stopped.then(() => {
      isGone = true;
    });
    for (let id = 0; id < 60_000; ) {
      if (writer.write(object(0, id, 2))) id++;
      else await writer.stream.writable();
      // A stream that is no more would always be writable.
      expect(isGone).toBe(false);
      if (id % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
      expect(relay.stats().cacheBytes).toBeLessThan(2 * limits.maxGroupBytes + limits.cacheBytes);
    }
    const after = process.memoryUsage();
    expect(after.heapUsed + after.external - before.heapUsed - before.external).toBeLessThan(200 << 20);
    await show.lostNothing();
  });
});

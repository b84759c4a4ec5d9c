import { afterEach, describe, expect, it } from 'vitest';
import type { Authoriser } from '../../src/access/grant.ts';
import { everythingBelow } from '../../src/access/pattern.ts';
import { requestErrorCodes, sessionCodes } from '../../src/codec/moqt/codes.ts';
import { draft18 } from '../../src/codec/moqt/draft18/draft18.ts';
import { concat } from '../../src/core/bytes.ts';
import type { RelayCore } from '../../src/relay/relay.ts';
import { type Relay, startRelay } from '../../src/relay/start-relay.ts';
import { establish } from '../../src/session/establish.ts';
import type { IncomingSubscribe, Publication, Session, SessionHandlers } from '../../src/session/types.ts';
import { connect as dial } from '../../src/transport/connect.ts';
import { capturingLogger, temporaryDir } from '../control/helpers.ts';
import { eventually } from '../relay/eventually.ts';
import {
  connect,
  namespace,
  nextGroup,
  object,
  openAuthoriser,
  TestPublisher,
  testRelay,
  track,
  watch,
} from '../relay/harness.ts';

let close: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const each of close.splice(0).reverse()) await each();
  close = [];
});

async function startedRelay(): Promise<Relay> {
  const dir = await temporaryDir();
  close.push(async () => dir[Symbol.asyncDispose]());
  const logger = capturingLogger();
  const relay = await startRelay({ host: '127.0.0.1', port: 0, dataDir: dir.path, authoriser: openAuthoriser, logger });
  close.push(() => relay.close());
  return relay;
}

async function session(relay: Relay, path: string, handlers: SessionHandlers = {}): Promise<Session> {
  const url = `moqt://127.0.0.1:${relay.port}${path}`;
  const transport = await dial(url, { versions: ['moqt-18'], trust: { insecure: true } });
  close.push(async () => transport.close({ code: 0, reason: '' }));
  return establish(transport, { role: 'client', path, authority: `127.0.0.1:${relay.port}`, handlers });
}

/** Asks `/health` one after the other until `stop`; answers how long each took, ms, ascending. */
function askHealth(port: number): { stop(): Promise<number[]> } {
  const took: number[] = [];
  let stopped = false;
  const asking = (async () => {
    while (!stopped) {
      const startedAt = performance.now();
      await (await fetch(`http://127.0.0.1:${port}/health`, { headers: { connection: 'close' } })).text();
      took.push(performance.now() - startedAt);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  return {
    async stop() {
      stopped = true;
      await asking;
      return took.sort((a, b) => a - b);
    },
  };
}

describe('a publisher that sends a megabyte of tiny objects', () => {
  it('is closed with a code, and while it sends another viewer misses nothing and /health answers', async () => {
    const relay = await startedRelay();
    const publications = new Map<string, Publication>();
    const publish = async (id: string): Promise<Session> => {
      const publisher = await session(relay, `/publish/${id}`, {
        subscribe: (request) => void publications.set(id, request.accept({ alias: 1 })),
      });
      await publisher.publishNamespace(['stream', 'org_a', id]);
      return publisher;
    };
    const attacker = await publish('lv_two');
    await publish('lv_one');
    const watched = async (id: string) => {
      const name = { namespace: ['stream', 'org_a', id], name: track.name };
      return (await session(relay, `/playback/${id}`)).subscribe(name);
    };
    await watched('lv_two');
    const honest = await watched('lv_one');
    const health = askHealth(relay.httpPort!);

    const writer = publications.get('lv_two')!.openSubgroup({
      groupId: 1,
      subgroupId: 0,
      priority: 1,
      endOfGroup: false,
    });
    // Encoded before, so that nothing of the relay's time is spent on it here.
    const megabyte: Uint8Array[] = [];
    for (let id = 0; id < 200_000; id++) {
      const tiny = { objectId: id, status: 'normal', properties: undefined, payload: Uint8Array.of(1) } as const;
      megabyte.push(draft18.encodeObject(id === 0 ? undefined : id - 1, tiny, false, undefined));
    }
    const bytes = concat(megabyte);
    const flood = (async () => {
      for (let at = 0; at < bytes.length; ) {
        if (writer.stream.write(bytes.subarray(at, at + 32_768))) at += 32_768;
        else if ((await Promise.race([writer.stream.writable(), attacker.closed])) !== undefined) return;
      }
    })();
    for (let group = 0; group < 20; group++) {
      const one = publications
        .get('lv_one')!
        .openSubgroup({ groupId: group, subgroupId: 0, priority: 1, endOfGroup: true });
      for (let id = 0; id < 5; id++) one.write(object(group, id, 1000));
      one.finish();
      expect(await nextGroup(honest)).toMatchObject({ group, ids: [0, 1, 2, 3, 4], end: 'fin' });
    }
    await flood;
    const { code, reason } = await attacker.closed;
    expect({ code, reason }).toEqual({
      code: sessionCodes.internalError,
      reason: 'more than 10000 objects a second',
    });
    const took = await health.stop();
    // It was silent for 50 s.
    expect(took.at(-1)).toBeLessThan(2000);
    expect(relay.stats().objectsIn).toBeLessThan(150_000);
  });
});

/** Publishes under any name; subscriptions are answered each with an alias of its own. */
async function publishAll(relay: RelayCore): Promise<{ requests: IncomingSubscribe[]; publications: Publication[] }> {
  const publications: Publication[] = [];
  const { requests } = await TestPublisher.start(relay, (request) => {
    publications.push(request.accept({ alias: publications.length }));
  });
  return { requests, publications };
}

/** `/playback/…` sees everything. */
const openToAll: Authoriser = {
  async authorise(request) {
    const grant = await openAuthoriser.authorise(request);
    return grant.kind === 'publish' ? grant : { ...grant, subscribe: [everythingBelow(['stream'])] };
  },
};

describe('a viewer', () => {
  it('cannot keep more than its share of tracks subscribed upstream, whatever it asks with', async () => {
    const relay = testRelay();
    close.push(() => relay.close());
    const publisher = await publishAll(relay);
    const { session: viewer } = await watch(relay);
    const name = (i: number) => ({ namespace, name: `t${i}` });
    for (let i = 0; i < 300; i++) await viewer.trackStatus(name(i));
    expect(relay.stats().tracks).toBeLessThanOrEqual(64);
    for (let i = 300; i < 600; i++) (await viewer.subscribe(name(i))).unsubscribe();
    await eventually(() => expect(relay.stats().tracks).toBeLessThanOrEqual(64));
    // Each was asked for all the same.
    expect(publisher.requests.length).toBe(600);
    expect((await viewer.trackStatus(name(599))).largest).toBeUndefined();
    expect(publisher.requests.length).toBe(600);
  });

  it('cannot have more requests of a kind under way than its share', async () => {
    const relay = testRelay({ maxStatusesPerSession: 4, maxFetchesPerSession: 5, maxPrefixesPerSession: 6 }, openToAll);
    close.push(() => relay.close());
    // It never answers.
    const publisher = await TestPublisher.start(relay, () => {}, { fetch: () => {} });
    const { session: viewer } = await connect(relay, '/playback/lv_one');
    const refused = (count: number, ask: (i: number) => Promise<unknown>): { readonly count: number } => {
      const seen = { count: 0 };
      for (let i = 0; i < count; i++) {
        ask(i).catch((error: { requestCode?: number }) => {
          if (error.requestCode === requestErrorCodes.excessiveLoad) seen.count++;
        });
      }
      return seen;
    };
    const statuses = refused(20, (i) => viewer.trackStatus({ namespace, name: `s${i}` }));
    const fetches = refused(20, (i) =>
      viewer.fetch({
        track: { namespace, name: `f${i}` },
        start: { group: 0, object: 0 },
        end: { group: 1, object: 0 },
      }),
    );
    const prefixes = refused(20, (i) => viewer.subscribeNamespace(['stream', `org_${i}`]));
    await eventually(() => expect([statuses.count, fetches.count, prefixes.count]).toEqual([16, 15, 14]));
    expect(publisher.requests.length).toBe(4);
  });
});

describe('a publisher', () => {
  it('keeps no more in a group for having many subgroups in it', async () => {
    const maxGroupBytes = 1 << 20;
    const relay = testRelay({ maxGroupBytes, cacheBytes: 1 << 30 });
    close.push(() => relay.close());
    const publisher = await TestPublisher.start(relay);
    await (await watch(relay)).session.subscribe(track);
    const writers = Array.from({ length: 12 }, (_, subgroupId) =>
      publisher.publications[0]!.openSubgroup({ groupId: 1, subgroupId, priority: 1, endOfGroup: false }),
    );
    for (let id = 0; id < 100; id++) {
      for (const [i, writer] of writers.entries()) {
        while (!writer.write(object(1, id * 12 + i, 10_000))) await writer.stream.writable();
      }
      await new Promise((resolve) => setImmediate(resolve));
      expect(relay.stats().cacheBytes).toBeLessThanOrEqual(maxGroupBytes);
    }
    await eventually(() => expect(relay.stats().objectsIn).toBe(1200));
    expect(relay.stats().cacheBytes).toBeGreaterThan(maxGroupBytes / 2);
  });

  it('keeps no more for having many tracks', async () => {
    const maxPublisherBytes = 1 << 20;
    const relay = testRelay({ maxPublisherBytes, cacheBytes: 1 << 30 });
    close.push(() => relay.close());
    const publisher = await publishAll(relay);
    const { session: viewer } = await watch(relay);
    for (let i = 0; i < 40; i++) await viewer.subscribe({ namespace, name: `t${i}` });
    const writers = publisher.publications.map((publication) =>
      publication.openSubgroup({ groupId: 1, subgroupId: 0, priority: 1, endOfGroup: false }),
    );
    for (let id = 0; id < 20; id++) {
      for (const writer of writers) while (!writer.write(object(1, id, 10_000))) await writer.stream.writable();
      await new Promise((resolve) => setImmediate(resolve));
      expect(relay.stats().cacheBytes).toBeLessThanOrEqual(maxPublisherBytes);
    }
    await eventually(() => expect(relay.stats().objectsIn).toBe(800));
  });
});

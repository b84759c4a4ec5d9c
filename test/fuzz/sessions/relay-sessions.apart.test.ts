import { expect, it } from 'vitest';
import { bytesOf } from '../../../fixtures/wire/annotated.ts';
import * as control14 from '../../../fixtures/wire/moqt-14/control.ts';
import * as control16 from '../../../fixtures/wire/moqt-16/control.ts';
import * as control18 from '../../../fixtures/wire/moqt-18/control.ts';
import { datagramCases, subgroupCases } from '../../../fixtures/wire/moqt-18/objects.ts';
import { everythingBelow } from '../../../src/access/pattern.ts';
import { moqtProtocols } from '../../../src/codec/moqt/dialects.ts';
import { liteProtocols } from '../../../src/codec/moqt/lite/version.ts';
import { createRelay, type RelayCore } from '../../../src/relay/relay.ts';
import { memoryPair } from '../../../src/transport/memory.ts';
import { connect, nextGroup, object } from '../../relay/harness.ts';
import { mutateWildly, random } from '../random.ts';
import { type Dice, RandomPeer } from './peer.ts';

const protocols = [...moqtProtocols, ...liteProtocols];
const seeds = [
  ...[...control14.controlCases, ...control16.controlCases, ...control18.controlCases].map(({ bytes }) => bytes),
  ...[...subgroupCases, ...datagramCases].map(({ bytes }) => bytes),
].map((bytes) => bytesOf(bytes));

function diceOf(seed: number): Dice {
  const next = random(seed);
  const below = (limit: number) => Math.floor(next() * limit);
  return {
    below,
    pick: (values) => values[below(values.length)]!,
    chance: (probability) => next() < probability,
    bytes: () => mutateWildly(seeds, next),
  };
}

/** What everybody is let do, the root of half of them apart: names grow by it. */
const roots = [[], ['ingest', 'org_a']];

function openToAll(seed: number, faults: unknown[]): RelayCore {
  const { pick } = diceOf(seed);
  return createRelay({
    authoriser: {
      authorise: async ({ path }) => {
        const root = path.startsWith('/good') ? [] : pick(roots);
        const all = [everythingBelow(root)];
        return { kind: 'both', root, publish: all, subscribe: all, lapsed: () => undefined, watch: () => () => {} };
      },
    },
    logger: {
      debug() {},
      info() {},
      warn() {},
      error: (message, fields) => faults.push({ message, ...fields }),
    },
    limits: { publisherLingerMs: 5, subscriptionLingerMs: 5, handshakeMs: 500, maxFillMs: 20, endDrainMs: 20 },
  });
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** `steps` of up to six peers of chance at one relay, and then two well-behaved ones, who must be served as ever. Returns what the relay has passed on. */
async function round(seed: number, steps: number): Promise<number> {
  const faults: unknown[] = [];
  const uncaught: unknown[] = [];
  const take = (error: unknown) => void uncaught.push(error);
  process.on('uncaughtException', take);
  process.on('unhandledRejection', take);
  const relay = openToAll(seed, faults);
  const dice = diceOf(seed);
  const peers: RandomPeer[] = [];
  try {
    for (let step = 0; step < steps; step++) {
      if (peers.length < 6 && dice.chance(0.2)) {
        const pair = memoryPair({ protocol: dice.pick(protocols), path: dice.pick(['/a', '/b']) });
        void relay.serve(pair.server);
        const peer = new RandomPeer(pair, dice);
        peers.push(peer);
        peer.begin();
        await turn();
      } else if (peers.length > 0 && dice.chance(0.01)) peers.splice(dice.below(peers.length), 1)[0]!.end();
      else if (peers.length > 0) dice.pick(peers).step();
      if (dice.chance(0.3)) await turn();
    }
    const good = await connect(relay, '/good', {
      subscribe(request) {
        const header = { groupId: 1, subgroupId: 0, priority: 1, endOfGroup: true, firstObject: true };
        const writer = request.accept({ alias: 1 }).openSubgroup(header);
        writer.write(object(1, 0));
        writer.finish();
      },
    });
    await good.session.publishNamespace(['good']);
    const { session } = await connect(relay, '/good');
    const subscription = await session.subscribe({ namespace: ['good'], name: 'track' });
    expect(await nextGroup(subscription)).toMatchObject({ group: 1, ids: [0], end: 'fin' });
    for (const peer of peers) peer.end();
    good.session.close(0, '');
    session.close(0, '');
    await expect
      .poll(() => relay.stats(), { timeout: 10_000, interval: 2 })
      .toMatchObject({
        sessions: 0,
        publishers: 0,
        subscriptions: 0,
        namespaces: 0,
        tracks: 0,
        cacheBytes: 0,
      });
    expect({ faults, uncaught, count: relay.stats().faults }).toEqual({ faults: [], uncaught: [], count: 0 });
    return relay.stats().objectsOut;
  } catch (error) {
    throw new Error(`seed ${seed}, ${steps} steps: ${JSON.stringify({ faults, uncaught: uncaught.map(String) })}`, {
      cause: error,
    });
  } finally {
    await relay.close();
    process.off('uncaughtException', take);
    process.off('unhandledRejection', take);
  }
}

it('a relay outlives peers of chance in every version, serves the others, and keeps nothing of them', async () => {
  let objectsOut = 0;
  for (let seed = 1; seed <= 12; seed++) objectsOut += await round(seed, 2000);
  // The peers of chance did meet.
  expect(objectsOut).toBeGreaterThan(400);
}, 120_000);

import { afterEach, describe, expect, it, vi } from 'vitest';
import { draft18 } from '../../../src/codec/moqt/draft18/draft18.ts';
import { StreamsError } from '../../../src/core/errors.ts';
import { silentLogger } from '../../../src/core/log.ts';
import { Cluster } from '../../../src/relay/cluster/cluster.ts';
import { Link, type LinkOptions } from '../../../src/relay/cluster/link.ts';
import { nodeOf, nodeUrl, originOf } from '../../../src/relay/cluster/node-url.ts';
import type { RelayCore } from '../../../src/relay/relay.ts';
import { establish } from '../../../src/session/establish.ts';
import type { Session } from '../../../src/session/types.ts';
import { type MemoryPair, memoryPair } from '../../../src/transport/memory.ts';
import { eventually } from '../eventually.ts';
import { connect } from '../harness.ts';
import { member, node } from './mesh.ts';

const undo: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

function relay(hopId: bigint): RelayCore {
  const core = node(hopId, { publisherLingerMs: 50 });
  undo.push(() => core.close());
  return core;
}

/** Where each URL leads; the connections that were opened, by URL. */
class Network {
  readonly relays = new Map<string, RelayCore>();
  readonly dialled: string[] = [];
  readonly pairs: { readonly to: string; readonly pair: MemoryPair }[] = [];

  readonly dial: LinkOptions['dial'] = async (url) => {
    this.dialled.push(url);
    const to = nodeUrl(url);
    const core = this.relays.get(to);
    if (core === undefined) throw new StreamsError('RELAY_UNREACHABLE', 'nobody is there');
    const pair = memoryPair({ protocol: 'moqt-18' });
    this.pairs.push({ to, pair });
    void core.serve(pair.server, member);
    return pair.client;
  };
}

const wait = { firstMs: 2, mostMs: 8 };
const options = (network: Network, core: RelayCore): LinkOptions => ({
  core,
  dial: network.dial,
  token: async () => 'secret',
  logger: silentLogger,
  wait,
});

function linked(url: string, settings: LinkOptions): Link {
  const link = new Link(url, settings);
  undo.push(() => link.stop());
  return link;
}

describe('a link', () => {
  it('is dialled until it is there, and again when it is lost, with the token of the moment', async () => {
    const network = new Network();
    const [near, far] = [relay(1n), relay(2n)];
    let token = 'first';
    const link = linked('https://far/', { ...options(network, near), token: async () => token });
    await eventually(() => expect(network.dialled.length).toBeGreaterThan(3));
    token = 'second';
    network.relays.set('https://far', far);
    await eventually(() => expect(link.isOpen).toBe(true));
    expect(network.dialled[0]).toBe('https://far/?jwt=first&cluster=1');
    expect(network.dialled.at(-1)).toBe('https://far/?jwt=second&cluster=1');
    const { length } = network.dialled;
    network.pairs[0]!.pair.drop();
    await eventually(() => expect(far.stats().peers).toBe(1));
    await eventually(() => expect(network.pairs).toHaveLength(2));
    expect(network.dialled.length).toBe(length + 1);
    await link.stop();
    await eventually(() => expect(far.stats().peers).toBe(0));
    expect(network.dialled.length).toBe(length + 1);
  });

  it('waits longer each time, never longer than allowed', async () => {
    const network = new Network();
    const at: number[] = [];
    const link = linked('https://far/', {
      ...options(network, relay(1n)),
      wait: { firstMs: 10, mostMs: 40 },
      random: () => 1,
      dial: (url, signal) => {
        at.push(performance.now());
        return network.dial(url, signal);
      },
    });
    await eventually(() => expect(at.length).toBe(6));
    await link.stop();
    const waits = at.slice(1).map((time, i) => time - at[i]!);
    for (const [i, least] of [10, 20, 40, 40, 40].entries()) expect(waits[i]).toBeGreaterThanOrEqual(least - 2);
  });

  it('waits longer also after dials that nobody answers, however long each takes', async () => {
    vi.useFakeTimers();
    undo.push(() => void vi.useRealTimers());
    const network = new Network();
    const at: number[] = [];
    const dialMs = 30_000;
    const link = linked('https://far/', {
      ...options(network, relay(1n)),
      wait: { firstMs: 250, mostMs: 1000 },
      random: () => 1,
      dial: async () => {
        at.push(performance.now());
        await new Promise((resolve) => setTimeout(resolve, dialMs));
        throw new StreamsError('RELAY_UNREACHABLE', 'no answer');
      },
    });
    await vi.advanceTimersByTimeAsync(5 * (dialMs + 1000));
    await Promise.all([link.stop(), vi.advanceTimersByTimeAsync(dialMs)]);
    const waits = at.slice(1, 5).map((time, i) => Math.round(time - at[i]! - dialMs));
    expect(waits).toEqual([250, 500, 1000, 1000]);
  });

  it('to the relay itself is closed, and dialled again once in a while: the URL may lead to another one by then', async () => {
    const network = new Network();
    const [self, other] = [relay(1n), relay(2n)];
    network.relays.set('https://self', self);
    const link = linked('https://self/', options(network, self));
    await eventually(() => expect(network.pairs).toHaveLength(1));
    await eventually(() => expect(self.stats().peers).toBe(0));
    expect(link.isOpen).toBe(false);
    network.relays.set('https://self', other);
    await eventually(() => expect(link.isOpen).toBe(true));
    expect(other.stats().peers).toBe(1);
    await link.stop();
  });

  it('goes where it is asked to, and comes back when that ends', async () => {
    const network = new Network();
    const [near, far] = [relay(1n), relay(2n)];
    network.relays.set('https://elsewhere', far);
    const leaving: Session[] = [];
    linked('https://far/', {
      ...options(network, near),
      async dial(url, signal) {
        if (nodeUrl(url) !== 'https://far') return network.dial(url, signal);
        const pair = memoryPair({ protocol: 'moqt-18' });
        void establish(pair.server, { role: 'server', hopId: 3n, authorise: async () => ({}) }).then((session) => {
          leaving.push(session);
          session.sendGoaway({ uri: 'https://elsewhere/?jwt=other' });
        });
        return pair.client;
      },
    });
    await eventually(() => expect(far.stats().peers).toBe(1));
    expect(leaving).toHaveLength(1);
    // A token in the address they send us to is not replaced by ours.
    expect(network.dialled).toEqual(['https://elsewhere/?jwt=other&cluster=1']);
    network.pairs[0]!.pair.drop();
    await eventually(() => expect(leaving.length).toBeGreaterThan(1));
  });
});

describe('members', () => {
  it.each([
    ['host:4443', 'https://host:4443'],
    ['https://host:4443/', 'https://host:4443'],
    ['https://host/path/?jwt=secret', 'https://host/path'],
    ['moqt://host:4443', 'moqt://host:4443'],
  ])('at %s are %s, also after a way through paths', (text, url) => {
    expect(nodeUrl(text)).toBe(url);
    expect(nodeOf(originOf(url))).toBe(url);
    expect(nodeOf(['.internal', 'origins', ...url.split('/').filter((field) => field !== '')])).toBe(url);
  });

  it('that are none are no members', () => {
    expect(nodeOf(['.internal', 'origins'])).toBeUndefined();
    expect(nodeOf(['.internal', 'origins', 'http://host/'])).toBeUndefined();
    expect(() => nodeUrl('https://')).toThrow();
  });

  it('find each other through a root, one link a pair; and stay joined when it is gone', async () => {
    const network = new Network();
    const urls = ['https://root', 'https://a', 'https://b'];
    const cores = urls.map((url, i) => {
      const core = relay(BigInt(i + 1));
      network.relays.set(url, core);
      return core;
    });
    const clusters = cores.map((core, i) => {
      const connectTo = i === 0 ? [] : ['https://root/'];
      const cluster = new Cluster({
        ...options(network, core),
        core,
        connect: connectTo,
        node: urls[i]!,
        discover: true,
        dialect: draft18,
      });
      undo.push(() => cluster.stop());
      return cluster;
    });
    const [root, a, b] = cores as [RelayCore, RelayCore, RelayCore];
    await eventually(() => expect(cores.map((core) => core.stats().peers)).toEqual([2, 2, 2]));
    expect(network.pairs.map(({ to }) => to).sort()).toEqual(['https://b', 'https://root', 'https://root']);

    const publisher = await connect(a, '/');
    await publisher.session.publishNamespace(['demo']);
    await eventually(() => expect(b.router.routeOf(['demo'])?.route?.hops).toHaveLength(2));

    await clusters[0]!.stop();
    network.relays.delete('https://root');
    await root.close();
    await eventually(() => expect([a.stats().peers, b.stats().peers]).toEqual([1, 1]));
    expect(b.namespaces()).toContainEqual(['demo']);

    // One that is gone is not dialled any more.
    network.relays.delete('https://b');
    await clusters[2]!.stop();
    await b.close();
    await eventually(() => expect(a.stats().peers).toBe(0));
    await eventually(() => expect(a.namespaces().map(nodeOf)).not.toContain('https://b'));
    const tries = (): number => network.dialled.filter((url) => nodeUrl(url) === 'https://b').length;
    const before = tries();
    await eventually(() => {
      const toRoot = network.dialled.filter((url) => nodeUrl(url) === 'https://root').length;
      expect(toRoot).toBeGreaterThan(6);
    });
    expect(tries()).toBeLessThanOrEqual(before + 1);
  });
});

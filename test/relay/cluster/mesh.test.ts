import { afterEach, describe, expect, it } from 'vitest';
import type { RelayCore } from '../../../src/relay/relay.ts';
import type { Publication, Session } from '../../../src/session/types.ts';
import { random } from '../../fuzz/random.ts';
import { eventually } from '../eventually.ts';
import { connect, object } from '../harness.ts';
import { type Link, link, node } from './mesh.ts';

const size = 5;
const steps = 40;
const namespace = ['demo', 'room'];
const track = { namespace, name: 'video' };

type Source = { readonly publications: Publication[]; drop(): void };

/** Relays, the links between them and who publishes at them; any of it comes and goes. */
class Mesh {
  readonly relays: RelayCore[];
  readonly links = new Map<string, Link & { readonly cost: number }>();
  /** Of the next link. */
  readonly #cost: () => number;
  readonly sources = new Map<number, Source>();

  constructor(cost: () => number) {
    this.#cost = cost;
    const limits = { publisherLingerMs: 60, subscriptionLingerMs: 20 };
    this.relays = Array.from({ length: size }, (_, i) => node(BigInt(i + 1) * 1111n, limits));
  }

  async toggleLink(a: number, b: number): Promise<void> {
    const key = `${Math.min(a, b)}-${Math.max(a, b)}`;
    const known = this.links.get(key);
    if (known === undefined) {
      const cost = this.#cost();
      this.links.set(key, { ...link(this.relays[a]!, this.relays[b]!, 'moqt-18', cost), cost });
      return;
    }
    this.links.delete(key);
    known.cut();
    await known.over;
  }

  async toggleSource(at: number): Promise<void> {
    const known = this.sources.get(at);
    if (known !== undefined) {
      this.sources.delete(at);
      known.drop();
      return;
    }
    const publications: Publication[] = [];
    const { session, pair } = await connect(this.relays[at]!, '/', {
      subscribe: (request) => void publications.push(request.accept({ alias: publications.length + 1 })),
    });
    await session.publishNamespace(namespace);
    this.sources.set(at, { publications, drop: () => pair.drop() });
  }

  /** What the cheapest way to a publisher costs every relay: 1 for the publisher's own link, then those between. */
  costs(): (number | undefined)[] {
    const found = this.relays.map((_, i) => (this.sources.has(i) ? 1 : Number.POSITIVE_INFINITY));
    for (let round = 0; round < size; round++) {
      for (const [key, { cost }] of this.links) {
        const [a, b] = key.split('-').map(Number) as [number, number];
        found[a] = Math.min(found[a]!, found[b]! + cost);
        found[b] = Math.min(found[b]!, found[a]! + cost);
      }
    }
    return found.map((cost) => (Number.isFinite(cost) ? cost : undefined));
  }

  /** Relays from which a way leads to a publisher. */
  reached(): boolean[] {
    const found = this.relays.map((_, i) => this.sources.has(i));
    for (let round = 0; round < size; round++) {
      for (const key of this.links.keys()) {
        const [a, b] = key.split('-').map(Number) as [number, number];
        if (found[a] || found[b]) found[a] = found[b] = true;
      }
    }
    return found;
  }
}

let mesh: Mesh | undefined;
let watching = false;
afterEach(async () => {
  watching = false;
  await Promise.all((mesh?.relays ?? []).map((relay) => relay.close()));
});

/** Keeps asking for the track, as players do; tells of each group that begins. */
async function watch(session: Session, came: (group: number) => void): Promise<void> {
  while (watching) {
    try {
      const subscription = await session.subscribe(track, { rendezvousMs: 50 });
      for (let next = await subscription.nextSubgroup(); next !== null; next = await subscription.nextSubgroup()) {
        came(next.groupId);
      }
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

describe('a mesh in which anything comes and goes', () => {
  it.each([1, 2, 3, 4])(
    'lists what there is a way to, and nothing else (seed %i)',
    { timeout: 60_000 },
    async (seed) => {
      const next = random(seed);
      const below = (limit: number): number => Math.floor(next() * limit);
      // Half the meshes have links that cost more, and less, than others.
      mesh = new Mesh(() => (seed % 2 === 0 ? 1 : below(5)));
      const { relays } = mesh;
      watching = true;
      const newest = relays.map(() => -1);
      const viewers = await Promise.all(relays.map(async (relay) => (await connect(relay, '/')).session));
      for (const [i, session] of viewers.entries()) {
        void watch(session, (group) => {
          newest[i] = group;
        });
      }
      for (let step = 0; step < steps; step++) {
        const [a, b] = [below(size), below(size)];
        if (a === b) await mesh.toggleSource(a);
        else await mesh.toggleLink(a, b);
        await eventually(() => {
          const listed = relays.map((relay) => relay.namespaces().length > 0);
          expect([step, listed]).toEqual([step, mesh!.reached()]);
          const costs = relays.map((relay) => relay.router.routeOf(namespace)?.route?.cost);
          expect([step, costs]).toEqual([step, mesh!.costs()]);
        });
      }
      // One publisher, every link: all have it.
      for (const at of [...mesh.sources.keys()]) await mesh.toggleSource(at);
      for (let a = 0; a < size; a++) {
        for (let b = a + 1; b < size; b++) if (!mesh.links.has(`${a}-${b}`)) await mesh.toggleLink(a, b);
      }
      await mesh.toggleSource(0);
      const { publications } = mesh.sources.get(0)!;
      let group = 1000;
      await eventually(() => {
        const writer = publications
          .at(-1)!
          .openSubgroup({ groupId: ++group, subgroupId: 0, priority: 9, endOfGroup: true });
        writer.write(object(group % 256, 0));
        writer.finish();
        expect(newest.every((last) => last > 1000)).toBe(true);
      });
      // And nothing is left of it: no relay feeds on another that feeds on it.
      watching = false;
      await mesh.toggleSource(0);
      await eventually(() => expect(relays.map((relay) => relay.stats().tracks)).toEqual(relays.map(() => 0)));
    },
  );
});

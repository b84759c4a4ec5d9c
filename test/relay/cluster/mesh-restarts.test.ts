import { afterEach, expect, it } from 'vitest';
import { fromUtf8 } from '../../../src/core/bytes.ts';
import type { RelayCore } from '../../../src/relay/relay.ts';
import type { Session } from '../../../src/session/types.ts';
import { random } from '../../fuzz/random.ts';
import { eventually } from '../eventually.ts';
import { both, client, Source, subscribed, track } from '../named-source.ts';
import { type Link, link, node } from './mesh.ts';

const size = 4;
const steps = 8;

let relays: RelayCore[] = [];
let watching = false;
afterEach(async () => {
  watching = false;
  await Promise.all(relays.map((relay) => relay.close()));
});

/** Keeps asking for the track, as players do. */
async function watch(session: Session, seen: string[]): Promise<void> {
  while (watching) {
    try {
      const subscription = await session.subscribe(track, { rendezvousMs: 500 });
      for (let group = await subscription.nextSubgroup(); group !== null; group = await subscription.nextSubgroup()) {
        for (let next = await group.next(); next !== null; next = await group.next()) seen.push(fromUtf8(next.payload));
      }
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

// A publisher that counts from 0 each time goes and comes anywhere, in any version, while links come and go.
it.each([
  { seed: 8, links: 'moq-lite-05' },
  { seed: 15, links: 'moqt-18' },
])(
  'everybody in a mesh of $links sees who publishes now, and nobody else (seed $seed)',
  { timeout: 60_000 },
  async (at) => {
    const next = random(at.seed);
    const below = (limit: number): number => Math.floor(next() * limit);
    relays = Array.from({ length: size }, (_, i) => node(BigInt(i + 1) * 11n, { publisherLingerMs: 2000 }));
    const open = new Map<string, Link>();
    const toggle = async (a: number, b: number): Promise<void> => {
      const key = [a, b].sort().join('-');
      const known = open.get(key);
      if (known === undefined) open.set(key, link(relays[a]!, relays[b]!, at.links, 1 + below(3)));
      // A ring is left, so that all stay joined.
      else if (open.size > size) {
        open.delete(key);
        known.cut();
        await known.over;
      }
    };
    for (let i = 0; i < size; i++) await toggle(i, (i + 1) % size);
    await toggle(0, 2);

    watching = true;
    const viewers = relays.map((): string[] => []);
    for (const [i, relay] of relays.entries()) void watch((await client(relay, 'moqt-18')).session, viewers[i]!);

    let source: Source | undefined;
    for (let step = 0; step < steps; step++) {
      const name = `publisher-${step}`;
      source?.drop();
      if (below(2) === 1) await eventually(() => expect(relays.flatMap((relay) => relay.namespaces())).toEqual([]));
      source = await Source.start(name, relays[below(size)]!, ['moqt-18', 'moqt-16', 'moq-lite-05'][below(3)]!);
      await source.read();
      let group = 0;
      const reachesAll = () =>
        eventually(() => {
          source!.send(group++);
          expect(viewers.every((seen) => seen.at(-1)?.startsWith(`${name} `))).toBe(true);
        });
      await reachesAll();
      await toggle(below(size - 1), size - 1);
      await reachesAll();
      source.send(group);
      for (const relay of relays) {
        const newcomer = await subscribed((await client(relay, 'moqt-18')).session);
        await eventually(() => expect(newcomer.seen.slice(-2)).toEqual(both(name, group)));
        expect(newcomer.seen.every((text) => text.startsWith(`${name} `))).toBe(true);
      }
    }
  },
);

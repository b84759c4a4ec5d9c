import { afterEach, describe, expect, it } from 'vitest';
import { publishDoneCodes } from '../../../src/codec/moqt/codes.ts';
import { concat, fromUtf8 } from '../../../src/core/bytes.ts';
import { readGroup, readNewestGroup } from '../../../src/relay/http/read-group.ts';
import type { RelayCore } from '../../../src/relay/relay.ts';
import type { Session, Subscription } from '../../../src/session/types.ts';
import { eventually } from '../eventually.ts';
import { both, client, namespace, Source, subscribed, track } from '../named-source.ts';
import { link, member, node } from './mesh.ts';

let relays: RelayCore[] = [];
afterEach(async () => {
  await Promise.all(relays.map((relay) => relay.close()));
  relays = [];
});

/** So many relays in a row, each linked to the next; published at the first, watched at the last. */
function chain(length: number, links: string): { first: RelayCore; last: RelayCore } {
  relays = Array.from({ length }, (_, i) => node(BigInt(i + 1) * 11n, { publisherLingerMs: 5000 }));
  for (let i = 1; i < length; i++) link(relays[i]!, relays[i - 1]!, links);
  return { first: relays[0]!, last: relays.at(-1)! };
}

/** What `/fetch/<namespace>/<track>` answers. */
async function overHttp(core: RelayCore, group?: number): Promise<string> {
  const local = {
    core,
    grant: { ...member, cluster: false },
    version: 'moqt-18',
    signal: new AbortController().signal,
  };
  const parts = group === undefined ? readNewestGroup(local, track) : readGroup(local, track, group);
  const payloads: Uint8Array[] = [];
  for await (const payload of parts) payloads.push(payload);
  return fromUtf8(concat(payloads));
}

const places = [
  ...['moqt-18', 'moqt-16', 'moq-lite-05'].flatMap((protocol) =>
    [1, 2, 3].map((length) => ({ protocol, length, links: 'moqt-18' })),
  ),
  { protocol: 'moqt-18', length: 3, links: 'moq-lite-05' },
  { protocol: 'moq-lite-04', length: 3, links: 'moq-lite-05' },
];

describe.each(places)(
  '$length relays, linked by $links, and a publisher of $protocol',
  ({ protocol, length, links }) => {
    async function start() {
      const { first, last } = chain(length, links);
      const before = await Source.start('old', first, protocol);
      await eventually(() => expect(last.namespaces()).toContainEqual(namespace));
      const viewer = (await client(last, protocol)).session;
      const watching = await subscribed(viewer);
      for (const group of [0, 1, 2, 3]) before.send(group);
      await eventually(() => expect(watching.seen).toContain('old 3.1'));
      return { first, last, before, viewer, watching };
    }

    /** moq-lite knows a group by its number for as long as a subscription lasts: it ends, and the viewer asks again. */
    async function carriedOn(viewer: Session, watching: { subscription: Subscription; seen: string[] }) {
      if (!protocol.includes('lite')) return watching;
      expect(await watching.subscription.done).toMatchObject({ by: 'publisher', status: publishDoneCodes.trackEnded });
      return subscribed(viewer);
    }

    it('that comes back and counts from 0: nobody sees the old for the new', async () => {
      const { first, last, before, viewer, watching } = await start();
      before.drop();
      await eventually(() => expect(first.stats().namespaces).toBe(0));
      const after = await Source.start('new', first, protocol);
      await after.read();
      after.send(0);
      const goesOn = await carriedOn(viewer, watching);
      await eventually(() => expect(goesOn.seen.slice(-2)).toEqual(both('new', 0)));
      after.send(1);
      await eventually(() => expect(goesOn.seen.slice(-2)).toEqual(both('new', 1)));
      expect(goesOn.seen.filter((text) => text.startsWith('new'))).toEqual([...both('new', 0), ...both('new', 1)]);

      const late = await subscribed((await client(last, protocol)).session);
      await eventually(() => expect(late.seen).toEqual(both('new', 1)));
      if (!protocol.includes('lite')) expect(late.subscription.largest).toEqual({ group: 1, object: 1 });
      expect(await overHttp(last)).toBe(both('new', 1).join(''));
      expect(await overHttp(last, 0)).toBe(both('new', 0).join(''));
      await expect(overHttp(last, 3)).rejects.toThrow();
      expect(after.publications).toHaveLength(1);
    });

    it('that is replaced while it is still there: the same', async () => {
      const { first, last, viewer, watching } = await start();
      const after = await Source.start('new', first, protocol);
      await after.read();
      after.send(2);
      const goesOn = await carriedOn(viewer, watching);
      await eventually(() => expect(goesOn.seen.slice(-2)).toEqual(both('new', 2)));
      const late = await subscribed((await client(last, protocol)).session);
      await eventually(() => expect(late.seen).toEqual(both('new', 2)));
    });
  },
);

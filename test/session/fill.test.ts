import { expect, it } from 'vitest';
import { draft20 } from '../../src/codec/moqt/draft20.ts';
import type { Message } from '../../src/codec/moqt/message.ts';
import type { MessageParameters } from '../../src/codec/moqt/parameters.ts';
import { establish } from '../../src/session/establish.ts';
import { fillRange } from '../../src/session/fill.ts';
import type { IncomingFetch, Publication } from '../../src/session/types.ts';
import { obj, pair, track } from './helpers.ts';

const largest = { group: 4, object: 2 };

/** A draft-20 client that speaks bytes, and what it asked of us. */
async function asked(parameters: MessageParameters) {
  const both = pair({ protocol: 'moqt-20' });
  const fetches: IncomingFetch[] = [];
  const publications: Publication[] = [];
  const opening = establish(both.server, {
    role: 'server',
    handlers: {
      subscribe: (request) => void publications.push(request.accept({ alias: 1, largest })),
      fetch(request) {
        fetches.push(request);
        const writer = request.accept({ end: request.end, endOfTrack: false });
        const object = obj(request.start.object, 'x');
        void writer.write({ kind: 'object', groupId: request.start.group, subgroupId: 0, priority: 1, object });
        writer.finish();
      },
    },
  });
  both.client.openUni().write(draft20.encodeMessage({ type: 'setup' }));
  await opening;
  const { send, receive } = both.client.openBidi();
  send.write(draft20.encodeMessage({ type: 'subscribe', requestId: 0, track, parameters }));
  const decoder = draft20.controlDecoder();
  const heard: Message[] = [];
  heard.push(...decoder.push((await receive.read())!));
  publications[0]!.done(0x2, 'over');
  heard.push(...decoder.push((await receive.read())!));
  return { client: both.client, heard, fetches };
}

it('brings what is there already on a FETCH stream of the subscription', async () => {
  const { client, heard, fetches } = await asked({
    subscriptionFilter: { type: 'largestObject' },
    fill: { locationFilter: { kind: 'relative', groups: 1 } },
  });
  // The stream is one more than those of the subscription, and nobody counts it.
  expect(heard).toMatchObject([{ type: 'subscribeOk' }, { type: 'publishDone', status: 0x2 }]);
  expect(heard[1]).not.toHaveProperty('streamCount');
  expect(fetches[0]).toMatchObject({ track, start: { group: 4, object: 0 }, end: { group: 4, object: 3 } });
  await client.acceptUni();
  const stream = (await client.acceptUni())!;
  const first = (await stream.read())!;
  expect([...first.subarray(0, 2)]).toEqual([0x05, 0]);
});

it('opens nothing where there is nothing', async () => {
  const { fetches } = await asked({ subscriptionFilter: { type: 'largestObject' }, fill: {} });
  expect(fetches).toEqual([]);
});

it.each<{ name: string; filter?: MessageParameters['locationFilter']; range: unknown }>([
  { name: 'what the subscription asked for', range: { start: { group: 0, object: 0 }, end: { group: 4, object: 3 } } },
  {
    name: 'more groups than there are',
    filter: { kind: 'relative', groups: 9 },
    range: { start: { group: 0, object: 0 } },
  },
  {
    name: 'a range that ends before',
    filter: { kind: 'absolute', start: { group: 1, object: 1 }, endGroup: 3, endObject: 5 },
    range: { start: { group: 1, object: 1 }, end: { group: 3, object: 6 } },
  },
  {
    name: 'a range that goes on',
    filter: { kind: 'absolute', start: { group: 4, object: 1 }, endGroup: 9 },
    range: { start: { group: 4, object: 1 }, end: { group: 4, object: 3 } },
  },
])('is, of $name, what is there', ({ filter, range }) => {
  const parameters = filter === undefined ? {} : { locationFilter: filter };
  expect(fillRange(parameters, { type: 'unfiltered' }, track, largest)).toMatchObject({ track, ...(range as object) });
});

import { describe, expect, it } from 'vitest';
import { answerFetch } from '../../src/broadcast/answer-fetch.ts';
import { TrackSender } from '../../src/broadcast/track-sender.ts';
import { TrackStore } from '../../src/broadcast/track-store.ts';
import { inBandProtocol, moqtProtocols } from '../../src/codec/moqt/dialects.ts';
import { establish } from '../../src/session/establish.ts';
import { RequestError } from '../../src/session/request-error.ts';
import type { FetchedObjects, FetchOptions, Location, Session } from '../../src/session/types.ts';
import { memoryPair } from '../../src/transport/memory.ts';
import { StreamResetError } from '../../src/transport/stream-reset-error.ts';

const track = { namespace: ['n'], name: 'video' };

/** Groups 5 and 6 are held, 5 whole, 6 with two objects so far; 3 and 4 are gone. */
async function peers(protocol: string, store = filled()): Promise<Session> {
  const pair = memoryPair({ protocol });
  const [, subscriber] = await Promise.all([
    establish(pair.client, {
      role: 'client',
      path: '/',
      authority: 'test',
      handlers: {
        fetch: (request) => void answerFetch(request, store, 2),
        subscribe: (request) => void new TrackSender(request, store, 1, 2),
      },
    }),
    establish(pair.server, { role: 'server' }),
  ]);
  return subscriber;
}

function filled(): TrackStore {
  const store = new TrackStore('video');
  for (const [groupId, objects] of [
    [3, 1],
    [4, 2],
    [5, 3],
    [6, 2],
  ] as const) {
    store.begin(groupId);
    for (let i = 0; i < objects; i++) store.push(new Uint8Array([groupId, i]));
  }
  return store;
}

async function read(fetched: FetchedObjects): Promise<string[]> {
  const seen: string[] = [];
  for (let item = await fetched.next(); item !== null; item = await fetched.next()) {
    if (item.kind === 'endOfRange') seen.push(`unknown to ${item.groupId}`);
    else seen.push([...item.object.payload].join('/'));
  }
  return seen;
}

describe.each(moqtProtocols)('a publisher answers FETCH in %s', (protocol) => {
  it.each<[string, Location, Location, FetchOptions, string[]]>([
    ['what is held', { group: 5, object: 1 }, { group: 6, object: 1 }, {}, ['5/1', '5/2', '6/0']],
    ['no more than there is', { group: 6, object: 0 }, { group: 9, object: 0 }, {}, ['6/0', '6/1']],
    [
      'what is gone as unknown',
      { group: 3, object: 0 },
      { group: 5, object: 0 },
      {},
      ['unknown to 4', '5/0', '5/1', '5/2'],
    ],
    ['only what is gone', { group: 3, object: 0 }, { group: 4, object: 0 }, {}, ['unknown to 4']],
    [
      'the newest group first',
      { group: 3, object: 0 },
      { group: 7, object: 0 },
      { groupOrder: 'descending' },
      ['6/0', '6/1', '5/0', '5/1', '5/2', 'unknown to 3'],
    ],
  ])('%s', async (_, start, end, options, expected) => {
    const session = await peers(protocol);
    const answer = read(await session.fetch({ track, start, end }, options));
    // draft-14 has no word for what nobody knows.
    if (protocol === inBandProtocol && expected.some((item) => item.startsWith('unknown')))
      await expect(answer).rejects.toThrow(StreamResetError);
    else expect(await answer).toEqual(expected);
    session.close(0, '');
  });

  it('with filters: what passes', async ({ skip }) => {
    skip(Number(protocol.slice(5)) < 19, `${protocol} has no range filters`);
    const session = await peers(protocol);
    const rangeFilters = { object: [{ set: 0, ranges: [{ start: 1n, end: 1n }] }] };
    const range = { start: { group: 4, object: 0 }, end: { group: 6, object: 0 } };
    const fetched = await session.fetch({ track, ...range }, { rangeFilters });
    expect(await read(fetched)).toEqual(['unknown to 4', '5/1', '6/1']);
    session.close(0, '');
  });

  it('joins: what came before the subscription, then what comes', async () => {
    const store = filled();
    const session = await peers(protocol, store);
    const subscription = await session.subscribe(track, { filter: { type: 'largestObject' } });
    const fetched = await session.fetch({ joining: subscription, groupsBefore: 1 });
    store.push(new Uint8Array([6, 2]));
    expect(await read(fetched)).toEqual(['5/0', '5/1', '5/2', '6/0', '6/1']);
    const subgroup = await subscription.nextSubgroup();
    expect((await subgroup?.next())?.payload).toEqual(new Uint8Array([6, 2]));
    session.close(0, '');
  });

  it('refuses what was not published yet', async () => {
    const refused = expect.any(RequestError);
    const session = await peers(protocol);
    const fetch = (group: number) => session.fetch({ track, start: { group, object: 0 }, end: { group, object: 0 } });
    await expect(fetch(7)).rejects.toEqual(refused);
    await expect(
      (await peers(protocol, new TrackStore('video'))).fetch({
        track,
        start: { group: 0, object: 0 },
        end: { group: 1, object: 0 },
      }),
    ).rejects.toEqual(refused);
    session.close(0, '');
  });
});

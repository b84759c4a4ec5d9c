import { afterEach, describe, expect, it } from 'vitest';
import type { Authoriser, Grant } from '../../../src/access/grant.ts';
import { codes } from '../../../src/codec/moqt/codes.ts';
import { utf8 } from '../../../src/core/bytes.ts';
import { deferred } from '../../../src/core/deferred.ts';
import type { RelayCore } from '../../../src/relay/relay.ts';
import { establish } from '../../../src/session/establish.ts';
import type { IncomingFetch } from '../../../src/session/types.ts';
import { memoryPair } from '../../../src/transport/memory.ts';
import { eventually } from '../eventually.ts';
import { connect, openAuthoriser, TestPublisher, testRelay, track } from '../harness.ts';

let relay: RelayCore;
afterEach(() => relay.close());

/** Keeps account of every playback grant; `end` makes the newest watched one lapse. */
function counted(before: () => Promise<void> = async () => {}) {
  const watchers = new Set<(reason: string) => void>();
  const seen = { granted: 0, over: [] as string[] };
  const authoriser: Authoriser = {
    async authorise(request): Promise<Grant> {
      const grant = await openAuthoriser.authorise(request);
      if (grant.kind === 'publish') return grant;
      await before();
      seen.granted++;
      const watch: Grant['watch'] = (end) => {
        watchers.add(end);
        return () => watchers.delete(end);
      };
      return { ...grant, watch, over: ({ reason }) => void seen.over.push(reason) };
    },
  };
  return { authoriser, seen, watchers, end: () => [...watchers].at(-1)!('the token has expired') };
}

const tokens = [{ type: 0, value: utf8('any') }];
const range = { track, start: { group: 1, object: 0 }, end: { group: 1, object: 0 } };

describe('the end of a grant', () => {
  it('is told for a client that left before it was granted', async () => {
    const asked = deferred<void>();
    const answer = deferred<void>();
    const { authoriser, seen } = counted(() => {
      asked.resolve();
      return answer.promise;
    });
    relay = testRelay({}, authoriser);
    const pair = memoryPair({ protocol: 'moqt-18', path: '/playback/lv_one' });
    const served = relay.serve(pair.server);
    const opening = establish(pair.client, { role: 'client' }).catch(() => {});
    await asked.promise;
    pair.client.close({ code: 0, reason: 'gone' });
    await opening;
    await served;
    expect(seen.over).toEqual([]);
    answer.resolve();
    await eventually(() => expect(seen).toEqual({ granted: 1, over: ['refused'] }));
  });

  it('is told once for every token of a request, whatever became of it', async () => {
    const { authoriser, seen } = counted();
    relay = testRelay({}, authoriser);
    const publisher = await TestPublisher.start(relay);
    const { session } = await connect(relay, '/playback/lv_two');
    const subscription = await session.subscribe(track, { tokens });
    publisher.group(1, [10]);
    expect(await subscription.nextSubgroup()).toMatchObject({ groupId: 1 });
    expect(seen).toEqual({ granted: 2, over: [] });
    const fetched = await session.fetch(range, { tokens });
    while ((await fetched.next()) !== null);
    await eventually(() => expect(seen).toEqual({ granted: 3, over: ['the request is over'] }));
    const internal = { namespace: ['stream', '.internal', 'x'], name: 'a' };
    await expect(session.fetch({ ...range, track: internal }, { tokens })).rejects.toThrow();
    subscription.unsubscribe();
    await eventually(() => expect(seen.over.length).toBe(seen.granted - 1));
    session.close(0, '');
    await eventually(() => expect(seen.over.length).toBe(seen.granted));
  });
});

describe('a FETCH under a token that expires', () => {
  it('is refused when nothing was answered yet', async () => {
    const { authoriser, watchers, end } = counted();
    relay = testRelay({}, authoriser);
    const upstream: IncomingFetch[] = [];
    await TestPublisher.start(relay, undefined, { fetch: (request) => void upstream.push(request) });
    const { session } = await connect(relay, '/playback/lv_two');
    const fetching = session.fetch(range, { tokens });
    const refused = expect(fetching).rejects.toMatchObject({
      requestCode: codes.requestError.expiredAuthToken,
      reason: 'auth_failed: the token has expired',
    });
    await eventually(() => expect(upstream.length).toBe(1));
    end();
    await refused;
    await upstream[0]!.cancelled;
    expect(watchers.size).toBe(1);
  });

  it('has its stream reset when it is under way, upstream too', async () => {
    const { authoriser, watchers, end } = counted();
    relay = testRelay({}, authoriser);
    const upstream: IncomingFetch[] = [];
    await TestPublisher.start(relay, undefined, {
      fetch(request) {
        upstream.push(request);
        request.accept({ end: range.end, endOfTrack: false });
      },
    });
    const { session } = await connect(relay, '/playback/lv_two');
    const fetched = await session.fetch(range, { tokens });
    const next = expect(fetched.next()).rejects.toMatchObject({ resetCode: codes.streamReset.expiredAuthToken });
    end();
    await next;
    await upstream[0]!.cancelled;
    await eventually(() => expect(watchers.size).toBe(1));
  });
});

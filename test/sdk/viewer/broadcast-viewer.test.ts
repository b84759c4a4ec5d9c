import { afterEach, describe, expect, it, vi } from 'vitest';
import { publishDoneCodes, requestErrorCodes, sessionCodes } from '../../../src/codec/moqt/codes.ts';
import { draft18 } from '../../../src/codec/moqt/draft18/draft18.ts';
import { StreamsError } from '../../../src/core/errors.ts';
import { BroadcastViewer } from '../../../src/sdk/viewer/broadcast-viewer.ts';
import type { ViewerGap, ViewerObject, ViewerOptions, ViewerState } from '../../../src/sdk/viewer/viewer-types.ts';
import { memoryPair } from '../../../src/transport/memory.ts';
import {
  catalog,
  fragment,
  header,
  namespace,
  object,
  publishGroup,
  RelaySide,
  token,
  url,
} from '../publisher/publisher.ts';

const track = 'video/720p';
const opened: BroadcastViewer[] = [];

afterEach(async () => {
  vi.useRealTimers();
  for (const viewer of opened.splice(0)) await viewer.close();
});

function watch(relays: RelaySide[], options: Partial<ViewerOptions> = {}) {
  const seen = { objects: [] as ViewerObject[], gaps: [] as ViewerGap[], states: [] as ViewerState[], connects: 0 };
  const viewer = new BroadcastViewer({
    url,
    connect: async () => {
      const relay = relays[seen.connects++];
      if (relay === undefined) throw new StreamsError('RELAY_UNREACHABLE', 'no relay');
      return relay.pair.client;
    },
    onObject: (value) => seen.objects.push(value),
    onGap: (gap) => seen.gaps.push(gap),
    onState: (state) => seen.states.push(state),
    ...options,
  });
  opened.push(viewer);
  const ids = () => seen.objects.map(({ groupId, objectId }) => `${groupId}/${objectId}`);
  const delivered = (list: string[]) => vi.waitFor(() => expect(ids()).toEqual(list), { timeout: 5000, interval: 5 });
  const inState = (name: ViewerState['name']) =>
    vi.waitFor(() => expect(viewer.state.name).toBe(name), { timeout: 5000, interval: 5 });
  return { viewer, seen, ids, delivered, inState };
}

describe('BroadcastViewer', () => {
  it('follows what is selected, lets go of the rest, and takes it up again without calling it a gap', async () => {
    const relay = new RelaySide();
    const { viewer, seen, delivered } = watch([relay]);
    await relay.publishCatalog();
    const first = await relay.request(track);
    publishGroup(first.accept({ alias: 50 }), 3);
    await delivered(['3/0', '3/1', '3/2']);
    viewer.select([]);
    await first.cancelled;
    // Nobody asks for it again by himself: a retry would come after 250 ms.
    let asked = false;
    const again = relay.request(track).then((request) => {
      asked = true;
      return request;
    });
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(asked).toBe(false);
    viewer.select([track]);
    publishGroup((await again).accept({ alias: 50 }), 9);
    await delivered(['3/0', '3/1', '3/2', '9/0', '9/1', '9/2']);
    expect(seen.gaps).toEqual([]);
  });

  it('takes a track up again that it let go of before it was answered, and stays in its session', async () => {
    const relay = new RelaySide();
    const { viewer, seen, delivered } = watch([relay]);
    await relay.publishCatalog();
    const unanswered = await relay.request(track);
    viewer.select([]);
    viewer.select([track]);
    await unanswered.cancelled;
    // Which of the two a relay hears of first is not certain.
    publishGroup((await relay.request(track)).accept({ alias: 50 }), 9);
    await delivered(['9/0', '9/1', '9/2']);
    expect(seen.connects).toBe(1);
  });

  it('waits for no answer to a track when its broadcast cannot go on', async () => {
    const relay = new RelaySide();
    const { viewer, inState } = watch([relay]);
    const catalogs = await relay.publishCatalog();
    // It would be answered when the track appears, or after 30 s.
    const unanswered = await relay.request(track);
    const group = catalogs.openSubgroup(header(1));
    group.write(object(0, 'no catalog'));
    group.finish();
    await unanswered.cancelled;
    await inState('ended');
    expect(viewer.state).toMatchObject({ reason: 'network', error: { code: 'MALFORMED' } });
  });

  it('joins: catalog, then the newest group from its init segment on', async () => {
    const relay = new RelaySide();
    const { viewer, seen, delivered } = watch([relay]);
    const request = await relay.request('.catalog');
    expect(request.track.namespace).toEqual(namespace);
    expect(request.rendezvousMs).toBeGreaterThan(0);
    const feed = request.accept({ alias: 90 });
    const first = feed.openSubgroup(header(0));
    first.write(object(0, JSON.stringify(catalog)));
    first.finish();
    const media = await relay.request(track);
    expect(media.filter).toEqual({ type: 'unfiltered' });
    const publication = media.accept({ alias: 91, largest: { group: 7, object: 1 } });
    const group = publication.openSubgroup(header(7));
    group.write(object(0, 'init'));
    group.write(object(1, fragment(40)));
    await delivered(['7/0', '7/1']);
    expect(viewer.catalog).toEqual(catalog);
    expect(seen.states.map(({ name }) => name)).toEqual(['playing']);
    expect(seen.objects[0]).toMatchObject({ track, kind: 'video' });
    expect(seen.objects[0]!.latencyMs).toBeUndefined();
    expect(seen.objects[1]!.latencyMs).toBeGreaterThanOrEqual(39);
    expect(seen.objects[1]!.latencyMs).toBeLessThan(1000);
    expect(viewer.stats.joinMs).toBeGreaterThanOrEqual(0);
    expect(viewer.stats.tracks[track]).toMatchObject({ groups: 1, objects: 2, gaps: 0 });
    expect(seen.gaps).toEqual([]);
  });

  it('puts subgroups and groups in order, and never goes back', async () => {
    const relay = new RelaySide();
    const { seen, delivered } = watch([relay], { stallMs: 5000 });
    await relay.publishCatalog();
    const publication = await relay.accept(track);
    const media = publication.openSubgroup({ ...header(3, 1), endOfGroup: false });
    media.write(object(1));
    const init = publication.openSubgroup({ ...header(3, 0), endOfGroup: false });
    init.write(object(0));
    init.finish();
    await delivered(['3/0', '3/1']);
    publishGroup(publication, 2);
    publishGroup(publication, 4);
    media.write(object(2));
    media.finish();
    await delivered(['3/0', '3/1', '3/2', '4/0', '4/1', '4/2']);
    expect(seen.gaps).toEqual([]);
  });

  it('gives a stalled group up for a newer one, and says so', async () => {
    const relay = new RelaySide();
    const { viewer, seen, delivered } = watch([relay], { stallMs: 30 });
    await relay.publishCatalog();
    const publication = await relay.accept(track);
    const stalled = publication.openSubgroup(header(1));
    stalled.write(object(0));
    stalled.write(object(1));
    await delivered(['1/0', '1/1']);
    publishGroup(publication, 2, 1);
    publishGroup(publication, 3, 1);
    await delivered(['1/0', '1/1', '3/0', '3/1']);
    expect(seen.gaps).toEqual([{ track, fromGroup: 1, toGroup: 2, reason: 'stalled' }]);
    expect(viewer.stats.tracks[track]!.gaps).toBe(1);
    expect(await stalled.stream.stopped).not.toBeNull();
  });

  it('goes where a relay that leaves sends it, and comes back if nobody is there', async () => {
    const relays = [new RelaySide(), new RelaySide(), new RelaySide()];
    const urls: string[] = [];
    const { viewer } = watch([], {
      connect: async (to) => {
        urls.push(to);
        if (urls.length === 2) throw new StreamsError('RELAY_UNREACHABLE', 'no relay');
        return relays[urls.length - 1]!.pair.client;
      },
    });
    await relays[0]!.publishCatalog();
    const elsewhere = url.replace('relay.test', 'other.test');
    (await relays[0]!.session).sendGoaway({ uri: elsewhere, timeoutMs: 1000 });
    await relays[2]!.publishCatalog();
    expect(urls).toEqual([url, elsewhere, url]);
    await vi.waitFor(() => expect(viewer.stats.reconnects).toBe(1));
  });

  it('does not give a group up that nothing newer replaces', async () => {
    vi.useFakeTimers();
    const relay = new RelaySide();
    const { seen, delivered } = watch([relay], { stallMs: 10 });
    await relay.publishCatalog();
    const publication = await relay.accept(track);
    const slow = publication.openSubgroup(header(1));
    slow.write(object(0));
    await delivered(['1/0']);
    await vi.advanceTimersByTimeAsync(60_000);
    slow.write(object(1));
    await delivered(['1/0', '1/1']);
    expect(seen.gaps).toEqual([]);
  });

  it('tells of a reset group and of groups that never came', async () => {
    const relay = new RelaySide();
    const { seen, delivered } = watch([relay]);
    await relay.publishCatalog();
    const publication = await relay.accept(track);
    const lost = publication.openSubgroup(header(1));
    lost.write(object(0));
    await delivered(['1/0']);
    lost.reset(5);
    await vi.waitFor(() => expect(seen.gaps).toHaveLength(1));
    publishGroup(publication, 4, 1);
    await delivered(['1/0', '4/0', '4/1']);
    expect(seen.gaps).toEqual([
      { track, fromGroup: 1, toGroup: 1, reason: 'reset' },
      { track, fromGroup: 2, toGroup: 3, reason: 'missing' },
    ]);
  });

  it('never hands out a torn object', async () => {
    const relay = new RelaySide();
    const { seen, delivered } = watch([relay]);
    await relay.publishCatalog();
    const publication = await relay.accept(track);
    const group = publication.openSubgroup(header(1));
    group.write(object(0));
    await delivered(['1/0']);
    // Object id delta 0, no properties, payload of 9 bytes of which 3 come.
    group.stream.write(Uint8Array.of(0, 9, 1, 2, 3));
    await vi.waitFor(() => expect(group.stream.queuedBytes).toBe(0));
    group.reset(0);
    publishGroup(publication, 2, 1);
    await delivered(['1/0', '2/0', '2/1']);
    expect(
      seen.objects.every(({ payload, objectId }) => Buffer.from(payload).toString() === `object ${objectId}`),
    ).toBe(true);
  });

  it('waits when the publisher ends, and plays the next one, whose groups count from 0', async () => {
    const relay = new RelaySide();
    const { inState, delivered, seen } = watch([relay]);
    const catalogFeed = await relay.publishCatalog();
    const publication = await relay.accept(track);
    publishGroup(publication, 9, 1);
    await delivered(['9/0', '9/1']);
    publication.done(publishDoneCodes.trackEnded, 'encoder gone');
    catalogFeed.done(publishDoneCodes.trackEnded, 'encoder gone');
    await inState('waiting');
    await relay.publishCatalog();
    publishGroup(await relay.accept(track), 0, 1);
    await delivered(['9/0', '9/1', '0/0', '0/1']);
    await inState('playing');
    expect(seen.connects).toBe(1);
  });

  it('waits for an input that is not live, asking again', async () => {
    const relay = new RelaySide();
    const { inState, delivered } = watch([relay]);
    const first = await relay.request('.catalog');
    first.reject(requestErrorCodes.timeout, 'off air', 1);
    await inState('waiting');
    await relay.publishCatalog();
    publishGroup(await relay.accept(track), 1, 1);
    await delivered(['1/0', '1/1']);
    await inState('playing');
  });

  it('reconnects after the connection drops and goes on where it was', async () => {
    const relays = [new RelaySide(), new RelaySide()];
    const { viewer, seen, delivered, inState } = watch(relays);
    await relays[0]!.publishCatalog();
    const before = (await relays[0]!.accept(track)).openSubgroup(header(5));
    before.write(object(0));
    before.write(object(1));
    await delivered(['5/0', '5/1']);
    relays[0]!.pair.drop();
    await inState('reconnecting');
    await relays[1]!.publishCatalog();
    const publication = await relays[1]!.accept(track);
    publishGroup(publication, 5, 2);
    publishGroup(publication, 6, 1);
    await delivered(['5/0', '5/1', '5/2', '6/0', '6/1']);
    expect(viewer.stats.reconnects).toBe(1);
    expect(seen.gaps).toEqual([]);
  });

  it('asks a relay that fell silent whether it is still there', async () => {
    vi.useFakeTimers();
    const relay = new RelaySide();
    const { delivered } = watch([relay]);
    let asked = 0;
    void (async () => {
      for (let next = await relay.pair.server.receiveDatagram(); next !== null; ) {
        expect(draft18.decodeDatagram(next)).toBeUndefined();
        asked++;
        next = await relay.pair.server.receiveDatagram();
      }
    })();
    await relay.publishCatalog();
    const publication = await relay.accept(track);
    for (let group = 1; group <= 8; group++) {
      publishGroup(publication, group, 1);
      await vi.advanceTimersByTimeAsync(500);
    }
    await delivered(Array.from({ length: 8 }, (_, i) => [`${i + 1}/0`, `${i + 1}/1`]).flat());
    expect(asked).toBe(0);
    await vi.advanceTimersByTimeAsync(2000);
    expect(asked).toBeGreaterThanOrEqual(2);
  });

  it('tells which groups passed while it was away', async () => {
    const relays = [new RelaySide(), new RelaySide()];
    const { seen, delivered } = watch(relays);
    await relays[0]!.publishCatalog();
    publishGroup(await relays[0]!.accept(track), 5, 1);
    await delivered(['5/0', '5/1']);
    relays[0]!.pair.drop();
    await relays[1]!.publishCatalog();
    publishGroup(await relays[1]!.accept(track), 8, 1);
    await delivered(['5/0', '5/1', '8/0', '8/1']);
    expect(seen.gaps).toEqual([{ track, fromGroup: 6, toGroup: 7, reason: 'reconnected' }]);
  });

  it('ends for good when the relay refuses the token at the door', async () => {
    const relay = new RelaySide({
      authorise: async () => {
        throw new StreamsError('TOKEN_INVALID', 'auth_failed: signed by an unknown key');
      },
    });
    const { viewer, seen } = watch([relay, relay]);
    const end = await viewer.ended;
    expect(end).toMatchObject({ reason: 'auth_failed', error: { code: 'TOKEN_INVALID' } });
    expect(end.error!.message).toContain('signed by an unknown key');
    expect(seen.connects).toBe(1);
  });

  it('ends for good when the session is closed in the middle for an expired token', async () => {
    const relay = new RelaySide();
    const expired = token({ ns: [namespace.join('/')], exp: Math.floor(Date.now() / 1000) - 1 });
    const { viewer, seen, delivered } = watch([relay], { url: `https://relay.test/playback/lv_show?tok=${expired}` });
    await relay.publishCatalog();
    publishGroup(await relay.accept(track), 1, 1);
    await delivered(['1/0', '1/1']);
    (await relay.session).close(sessionCodes.unauthorized, 'auth_failed: token expired');
    expect(await viewer.ended).toMatchObject({ reason: 'auth_failed', error: { code: 'TOKEN_EXPIRED' } });
    expect(seen.connects).toBe(1);
  });

  it('ends for good when a subscription is refused', async () => {
    for (const [code, expected] of [
      [requestErrorCodes.unauthorized, 'TOKEN_INVALID'],
      [requestErrorCodes.expiredAuthToken, 'TOKEN_EXPIRED'],
    ] as const) {
      const relay = new RelaySide();
      const { viewer } = watch([relay]);
      await relay.publishCatalog();
      (await relay.request(track)).reject(code, 'no');
      expect(await viewer.ended).toMatchObject({ reason: 'auth_failed', error: { code: expected } });
      expect((await relay.pair.server.closed).by).toBe('peer');
    }
  });

  it('renews an expired token once, when it is told how', async () => {
    const relays = [new RelaySide(), new RelaySide()];
    const expired = token({ ns: [namespace.join('/')], exp: 1 });
    const fresh = token({ ns: [namespace.join('/')], exp: Math.floor(Date.now() / 1000) + 3600 });
    const asked: string[] = [];
    const { delivered } = watch(relays, {
      url: `https://relay.test/playback/lv_show?tok=${expired}`,
      refreshToken: async () => fresh,
      connect: async (to) => {
        asked.push(new URL(to).searchParams.get('tok')!);
        return relays[0]!.pair.client;
      },
    });
    await relays[0]!.publishCatalog();
    publishGroup(await relays[0]!.accept(track), 1, 1);
    await delivered(['1/0', '1/1']);
    expect(asked).toEqual([fresh]);
  });

  it('ends complete when an on-demand asset was delivered whole', async () => {
    const relay = new RelaySide();
    const { viewer, ids } = watch([relay], { namespace: ['stream', 'org_local', 'as_film'] });
    const feed = await relay.publishCatalog(0, { ...catalog, live: false });
    const publication = await relay.accept(track);
    publishGroup(publication, 0, 1);
    publishGroup(publication, 1, 1);
    publication.done(publishDoneCodes.trackEnded, '');
    feed.done(publishDoneCodes.trackEnded, '');
    expect(await viewer.ended).toMatchObject({ reason: 'complete' });
    expect(ids()).toEqual(['0/0', '0/1', '1/0', '1/1']);
  });

  it('gives up after maxAttempts, and close() ends with closed_by_caller and nothing after it', async () => {
    const { viewer } = watch([], { maxAttempts: 2 });
    expect(await viewer.ended).toMatchObject({ reason: 'network', error: { code: 'RELAY_UNREACHABLE' } });
    const relay = new RelaySide();
    const other = watch([relay]);
    await relay.publishCatalog();
    publishGroup(await relay.accept(track), 1, 1);
    await other.delivered(['1/0', '1/1']);
    await other.viewer.close();
    expect(other.viewer.state).toEqual({ name: 'ended', reason: 'closed_by_caller' });
    expect(await relay.pair.server.closed).toMatchObject({ by: 'peer', code: 0 });
  });

  it('counts dials that nobody answers as attempts, however long each takes', async () => {
    vi.useFakeTimers();
    const { viewer, seen } = watch([], { connect: () => new Promise(() => {}), maxAttempts: 4 });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await viewer.ended).toMatchObject({ reason: 'network', error: { code: 'RELAY_UNREACHABLE' } });
    const attempts = seen.states.map((state) => (state.name === 'reconnecting' ? state.attempt : state.name));
    expect(attempts).toEqual([1, 2, 3, 'ended']);
  });

  it('counts relays that take the connection and say nothing as attempts too', async () => {
    vi.useFakeTimers();
    const { viewer, seen } = watch([], {
      connect: async () => memoryPair({ protocol: 'moqt-18' }).client,
      maxAttempts: 3,
      connectTimeoutMs: 15_000,
    });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await viewer.ended).toMatchObject({ reason: 'network', error: { code: 'TIMEOUT' } });
    expect(seen.states.map(({ name }) => name)).toEqual(['reconnecting', 'reconnecting', 'ended']);
  });

  it('begins anew with its attempts after a session that lasted, and not after a short one', async () => {
    vi.useFakeTimers();
    const relays = [new RelaySide(), new RelaySide()];
    const { seen } = watch(relays);
    const lost = async (relay: RelaySide, afterMs: number) => {
      await relay.session;
      await vi.advanceTimersByTimeAsync(afterMs);
      relay.pair.drop();
    };
    const attempts = () => seen.states.flatMap((state) => (state.name === 'reconnecting' ? [state.attempt] : []));
    await lost(relays[0]!, 1000);
    await vi.advanceTimersByTimeAsync(1000);
    await lost(relays[1]!, 11_000);
    await vi.advanceTimersByTimeAsync(10);
    expect(attempts().slice(0, 2)).toEqual([1, 1]);
    await vi.advanceTimersByTimeAsync(600);
    expect(attempts()[2]).toBe(2);
  });

  it('refuses what is no token before it connects', async () => {
    const { viewer, seen } = watch([], { url: 'https://relay.test/playback/lv_show?tok=nonsense' });
    expect(await viewer.ended).toMatchObject({ reason: 'auth_failed', error: { code: 'TOKEN_INVALID' } });
    expect(seen.connects).toBe(0);
  });
});

import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { publishDoneCodes, requestErrorCodes } from '../../../src/codec/moqt/codes.ts';
import { timestampProperty } from '../../../src/codec/moqt/lite/timestamp.ts';
import { utf8 } from '../../../src/core/bytes.ts';
import type {
  IncomingSubscribe,
  MoqObject,
  Refusal,
  SubscriptionTerms,
  UpdateAnswer,
} from '../../../src/session/types.ts';
import { allObjects, header, obj } from '../helpers.ts';
import { sessions, subscribed, track, until, versions } from './helpers.ts';

describe.each(versions)('subscriptions (%s)', (version) => {
  const five = version === 'moq-lite-05';
  /** An object as it arrives. */
  const at = (objectId: number, text: string, timestamp = 0n): MoqObject =>
    obj(objectId, text, { properties: five ? timestampProperty(timestamp) : undefined });

  it('groups are subgroups of their own, frames are objects', async () => {
    const { publication, subscription, request } = await subscribed(version);
    expect(request).toMatchObject({ track, filter: { type: 'unfiltered' }, forward: true, rendezvousMs: 0 });
    const writer = publication.openSubgroup(header(7));
    writer.write(obj(0, 'key', { properties: timestampProperty(90n) }));
    writer.write(obj(1, ''));
    writer.write(obj(2, 'b', { properties: Uint8Array.of(2, 5) }));
    writer.write(obj(3, '', { status: 'endOfGroup' }));
    writer.finish();
    const group = (await subscription.nextSubgroup())!;
    expect(group).toMatchObject({ groupId: 7, subgroupId: 0, endOfGroup: true, firstObject: true, properties: five });
    expect(await allObjects(group)).toEqual([at(0, 'key', 90n), at(1, ''), at(2, 'b')]);
  });

  it('what a subscriber wants is told in draft-18 words', async () => {
    const { request } = await subscribed(version, {
      priority: 10,
      groupOrder: 'ascending',
      subgroupTimeoutMs: 300,
      filter: { type: 'absoluteRange', start: { group: 5, object: 0 }, endGroup: 9 },
    });
    expect(request.terms).toEqual({
      filter: { type: 'absoluteRange', start: { group: 5, object: 0 }, endGroup: 9 },
      forward: true,
      priority: 10,
      groupOrder: 'ascending',
      objectTimeoutMs: 0,
      subgroupTimeoutMs: 300,
    } satisfies SubscriptionTerms);
  });

  it.each([
    { forward: false },
    { filter: { type: 'nextGroup' } as const },
    { filter: { type: 'largestObject' } as const },
    { filter: { type: 'absoluteStart', start: { group: 1, object: 1 } } as const },
    { tokens: [{ type: 0, value: utf8('t') }] },
  ])('%j is refused here, as moq-lite has no word for it', async (options) => {
    const { client } = await sessions(version);
    await expect(client.subscribe(track, options)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });

  it('a namespace that is no path is refused', async () => {
    const { client } = await sessions(version);
    const slash = client.subscribe({ namespace: ['a/b'], name: 'x' });
    await expect(slash).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });

  it('an end of the track is told after its last group', async () => {
    const { publication, subscription } = await subscribed(version);
    const writer = publication.openSubgroup(header(3));
    writer.write(obj(0, 'x'));
    publication.done(publishDoneCodes.trackEnded, '');
    const group = (await subscription.nextSubgroup())!;
    writer.finish();
    expect(await allObjects(group)).toHaveLength(1);
    expect(await subscription.done).toMatchObject({ by: 'publisher', status: publishDoneCodes.trackEnded });
    expect(await subscription.nextSubgroup()).toBeNull();
    expect(await subscription.nextDatagram()).toBeNull();
  });

  it('an end that is no end of the track is a reset', async () => {
    const { publication, subscription } = await subscribed(version);
    publication.done(publishDoneCodes.goingAway, 'bye');
    expect(await subscription.done).toMatchObject({ by: 'publisher', status: publishDoneCodes.internalError });
    expect(await subscription.nextSubgroup()).toBeNull();
  });

  it('a group given up is a reset, and the next one comes', async () => {
    const { publication, subscription } = await subscribed(version);
    const lost = publication.openSubgroup(header(1));
    lost.write(obj(0, 'a'));
    const group = (await subscription.nextSubgroup())!;
    expect(await group.next()).toMatchObject({ objectId: 0 });
    lost.reset(5);
    await expect(group.next()).rejects.toMatchObject({ code: 'STREAM_RESET', resetCode: 5 });
    publication.openSubgroup(header(2)).write(obj(0, 'b'));
    expect(await subscription.nextSubgroup()).toMatchObject({ groupId: 2 });
  });

  it('a group is its first subgroup alone', async () => {
    const { publication, subscription } = await subscribed(version);
    const first = publication.openSubgroup(header(1));
    expect(first.write(obj(0, 'a'))).toBe(true);
    const second = publication.openSubgroup(header(1, { subgroupId: 1 }));
    expect(second.write(obj(1, 'b'))).toBe(false);
    first.finish();
    expect(await allObjects((await subscription.nextSubgroup())!)).toHaveLength(1);
  });

  it('unsubscribing ends the publication', async () => {
    const { publication, request, subscription } = await subscribed(version);
    publication.openSubgroup(header(1)).write(obj(0, 'a'));
    subscription.unsubscribe();
    await publication.cancelled;
    await request.over;
    expect(publication.openSubgroup(header(2)).write(obj(0, 'x'))).toBe(false);
    expect((await subscription.done).by).toBe('local');
  });

  it('terms change under way; a refusal ends it', async () => {
    const { publication, subscription } = await subscribed(version);
    const seen: SubscriptionTerms[] = [];
    publication.onUpdate((terms): Refusal | UpdateAnswer => {
      seen.push(terms);
      return terms.filter.type === 'unfiltered' ? {} : { code: requestErrorCodes.invalidRange, reason: 'no' };
    });
    expect(await subscription.update({ priority: 3 })).toEqual({});
    await expect(subscription.update({ forward: false })).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    await until(() => seen.length === 1);
    expect(seen[0]).toMatchObject({ priority: 3, filter: { type: 'unfiltered' } });
    await subscription.update({ filter: { type: 'absoluteStart', start: { group: 4, object: 0 } } });
    expect((await subscription.done).by).toBe('publisher');
    await publication.cancelled;
  });

  it.each([
    [requestErrorCodes.doesNotExist, 'NOT_FOUND'],
    [requestErrorCodes.excessiveLoad, 'RATE_LIMITED'],
    [requestErrorCodes.unauthorized, 'INTERNAL'],
  ])('a refusal with 0x%s is %s to the subscriber', async (requestCode, code) => {
    const subscribe = (request: IncomingSubscribe) => request.reject(requestCode, 'no');
    const trackStatus = five
      ? { trackStatus: (request: { reject(c: number, r: string): void }) => request.reject(requestCode, 'no') }
      : {};
    const { client } = await sessions(version, { server: { handlers: { subscribe, ...trackStatus } } });
    await expect(client.subscribe(track)).rejects.toMatchObject({ name: 'RequestError', code });
  });

  it('a signal gives a subscription up that is not answered', async () => {
    const requests: IncomingSubscribe[] = [];
    const asked: unknown[] = [];
    const { client } = await sessions(version, {
      server: {
        handlers: { subscribe: (request) => requests.push(request), trackStatus: (request) => asked.push(request) },
      },
    });
    const stop = new AbortController();
    const pending = client.subscribe(track, { signal: stop.signal });
    await until(() => requests.length + asked.length > 0);
    stop.abort();
    await expect(pending).rejects.toMatchObject({ code: 'INTERRUPTED' });
    if (!five) await requests[0]!.cancelled;
  });

  it('a grant that lapses ends it', async () => {
    const { request, subscription } = await subscribed(version);
    request.revoke('expired');
    await request.cancelled;
    expect((await subscription.done).by).toBe('publisher');
  });

  it('an end of the session ends everything', async () => {
    const { publication, subscription, drop, client } = await subscribed(version);
    drop();
    expect((await subscription.done).by).toBe('session');
    await publication.cancelled;
    await expect(client.subscribe(track)).rejects.toMatchObject({ code: 'TRANSPORT_CLOSED' });
  });
});

describe('moq-lite-05', () => {
  it('properties of the track come with TRACK_INFO', async () => {
    const trackProperties = Uint8Array.of(0x08, 0xc1, 0x5f, 0x90, 0x06, 0x05);
    const { client, server } = await sessions('moq-lite-05', {
      server: {
        handlers: {
          subscribe: (request) => void request.accept({ alias: 1, trackProperties }),
          trackStatus: (request) => request.accept({ trackProperties }),
        },
      },
    });
    const subscription = await client.subscribe(track);
    const { trackProperties: seen } = subscription;
    expect(server.objects.readTrackProperties(seen)).toMatchObject({ defaultPriority: 5 });
    expect(seen.slice(2, 6)).toEqual(
      await client.trackStatus(track).then((status) => status.trackProperties.slice(2, 6)),
    );
  });

  it('a group of one object goes as a datagram, without properties but its time', async () => {
    const { publication, subscription } = await subscribed('moq-lite-05');
    const properties = timestampProperty(44n);
    const datagram = { groupId: 5, priority: 1, endOfGroup: true, object: obj(0, 'd', { properties }) };
    expect(publication.sendDatagram(datagram)).toBe(true);
    expect(await subscription.nextDatagram()).toEqual({ ...datagram, priority: 128 });
    expect(publication.sendDatagram({ ...datagram, object: obj(1, 'd') })).toBe(false);
    expect(publication.sendDatagram({ ...datagram, object: obj(0, 'x'.repeat(1200)) })).toBe(false);
  });

  it('the end is known without waiting when all groups are there', async () => {
    const { publication, subscription } = await subscribed('moq-lite-05');
    for (const id of [4, 5]) {
      const writer = publication.openSubgroup(header(id));
      writer.write(obj(0, 'x'));
      writer.finish();
    }
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    publication.done(publishDoneCodes.trackEnded, '');
    for (const id of [4, 5]) {
      const group = (await subscription.nextSubgroup())!;
      expect(group.groupId).toBe(id);
      await allObjects(group);
    }
    expect(await subscription.nextSubgroup()).toBeNull();
  });

  it('a padding datagram is dropped by the other side', async () => {
    const { client, server, publication, subscription } = await subscribed('moq-lite-05');
    client.probe();
    server.probe();
    publication.sendDatagram({ groupId: 1, priority: 1, endOfGroup: true, object: obj(0, 'd') });
    expect(await subscription.nextDatagram()).toMatchObject({ groupId: 1 });
  });
});

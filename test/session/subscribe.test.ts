import { expect, it, onTestFinished, vi } from 'vitest';
import { draft18 } from '../../src/codec/moqt/draft18/draft18.ts';
import { concat, emptyBytes } from '../../src/core/bytes.ts';
import type { IncomingSubscribe } from '../../src/session/types.ts';
import {
  allObjects,
  describeVersions,
  encode,
  header,
  messages,
  obj,
  rawPeer,
  sessions,
  speech,
  subscribed,
  track,
} from './helpers.ts';

const subgroup = (trackAlias: number, groupId: number) =>
  draft18.encodeSubgroupHeader({
    trackAlias,
    groupId,
    subgroupId: 0,
    endOfGroup: false,
    properties: false,
    firstObject: false,
  });
const ok = (trackAlias: number, trackProperties = emptyBytes) =>
  encode({ type: 'subscribeOk', trackAlias, parameters: {}, trackProperties });

/** A client session whose peer is bytes; `subscribe` sends a SUBSCRIBE and gives the peer's end of it. */
async function rawPublisher() {
  const { raw, opening, setup } = await rawPeer('client');
  setup();
  const session = await opening;
  const subscribe = async (name = track.name) => {
    const answer = session.subscribe({ ...track, name });
    answer.catch(() => {});
    return { answer, stream: (await raw.acceptBidi())! };
  };
  return { raw, session, subscribe };
}

describeVersions('subscribe', (version) => {
  it('tells the publisher what is asked', async () => {
    const requests: IncomingSubscribe[] = [];
    const { client } = await sessions({
      server: {
        handlers: {
          subscribe(request) {
            requests.push(request);
            request.accept({ alias: requests.length, largest: { group: 8, object: 1 } });
          },
        },
      },
    });
    const subscription = await client.subscribe(track, {
      filter: { type: 'nextGroup' },
      priority: 7,
      groupOrder: 'descending',
      rendezvousMs: 3000,
    });
    expect(subscription.largest).toEqual({ group: 8, object: 1 });
    expect(requests[0]).toMatchObject({
      track,
      filter: { type: 'nextGroup' },
      priority: 7,
      groupOrder: 'descending',
      rendezvousMs: speech(version).rendezvous ? 3000 : 0,
      forward: true,
    });
    await client.subscribe({ ...track, name: 'other' });
    expect(requests[1]).toMatchObject({
      filter: { type: 'unfiltered' },
      priority: 128,
      groupOrder: undefined,
      rendezvousMs: 0,
    });
  });

  it('rejects with code, reason and when to retry', async () => {
    const { client } = await sessions({
      server: { handlers: { subscribe: (request) => request.reject(0x2, 'nobody came', 250) } },
    });
    await expect(client.subscribe(track, { rendezvousMs: 10 })).rejects.toMatchObject({
      code: 'TIMEOUT',
      requestCode: 0x2,
      reason: 'nobody came',
      retryMs: speech(version).retryHints ? 250 : undefined,
    });
    await expect(client.subscribe(track)).rejects.toMatchObject({ requestCode: 0x2 });
  });

  it('can be given up while it waits, and the publisher hears of it', async () => {
    const requests: IncomingSubscribe[] = [];
    const { client } = await sessions({
      server: { handlers: { subscribe: (request) => void requests.push(request) } },
    });
    const abort = new AbortController();
    const answer = client.subscribe(track, { signal: abort.signal });
    answer.catch(() => {});
    await expect.poll(() => requests.length).toBe(1);
    abort.abort();
    await expect(answer).rejects.toMatchObject({ code: 'INTERRUPTED' });
    await requests[0]!.cancelled;
    const late = requests[0]!.accept({ alias: 1 });
    expect(late.openSubgroup(header(1)).write(obj(0, 'x'))).toBe(false);
  });

  it('delivers objects of several groups and subgroups, with status, properties and header', async () => {
    const { subscription, publication } = await subscribed();
    const first = publication.openSubgroup(header(5, { properties: true, firstObject: true }));
    const second = publication.openSubgroup(header(5, { subgroupId: 3, priority: 9, endOfGroup: false }));
    const properties = Uint8Array.of(0x3c, 1);
    expect(first.write(obj(0, 'a', { properties }))).toBe(true);
    expect(second.write(obj(4, 'b'))).toBe(true);
    first.write(obj(2, '', { status: 'endOfGroup' }));
    first.finish();
    second.finish();
    publication.openSubgroup(header(6)).finish();
    const one = (await subscription.nextSubgroup())!;
    expect(one).toMatchObject({
      groupId: 5,
      subgroupId: 0,
      priority: 2,
      endOfGroup: true,
      properties: true,
      firstObject: speech(version).firstObject,
    });
    expect(await allObjects(one)).toEqual([
      obj(0, 'a', { properties }),
      obj(2, '', { status: 'endOfGroup', properties: emptyBytes }),
    ]);
    const two = (await subscription.nextSubgroup())!;
    expect(two).toMatchObject({ groupId: 5, subgroupId: 3, priority: 9, endOfGroup: false, properties: false });
    expect(await allObjects(two)).toEqual([obj(4, 'b')]);
    expect(await allObjects((await subscription.nextSubgroup())!)).toEqual([]);
  });

  it('delivers bytes that were encoded once for many', async () => {
    const { subscription, publication } = await subscribed();
    const writer = publication.openSubgroup(header(1));
    writer.stream.write(draft18.encodeObject(undefined, obj(0, 'shared'), false));
    writer.finish();
    expect(await allObjects((await subscription.nextSubgroup())!)).toEqual([obj(0, 'shared')]);
  });

  it('never delivers a torn object', async () => {
    const { subscription, publication } = await subscribed();
    const writer = publication.openSubgroup(header(1));
    writer.write(obj(0, 'whole'));
    writer.stream.write(draft18.encodeObject(0, obj(1, 'cut in the middle'), false).subarray(0, 9));
    const reader = (await subscription.nextSubgroup())!;
    expect(await reader.next()).toEqual(obj(0, 'whole'));
    const torn = reader.next();
    writer.reset(0x5);
    await expect(torn).rejects.toMatchObject({
      code: 'STREAM_RESET',
      resetCode: speech(version).tooFarBehind ? 0x5 : 0x2,
    });
    await expect(reader.next()).rejects.toMatchObject({ resetCode: speech(version).tooFarBehind ? 0x5 : 0x2 });
  });

  it('rejects a torn object when the connection is lost', async () => {
    const { subscription, publication, drop } = await subscribed();
    const writer = publication.openSubgroup(header(1));
    writer.stream.write(draft18.encodeObject(undefined, obj(0, 'cut'), false).subarray(0, 4));
    const reader = (await subscription.nextSubgroup())!;
    const torn = reader.next();
    drop();
    await expect(torn).rejects.toMatchObject({ code: 'TRANSPORT_CLOSED' });
    expect(await subscription.done).toMatchObject({ by: 'session' });
    expect(await subscription.nextSubgroup()).toBeNull();
  });

  it('closes the session on FIN inside an object', async () => {
    const { client, subscription, publication } = await subscribed();
    const writer = publication.openSubgroup(header(1));
    writer.stream.write(draft18.encodeObject(undefined, obj(0, 'cut'), false).subarray(0, 4));
    writer.finish();
    await expect((await subscription.nextSubgroup())!.next()).rejects.toMatchObject({ sessionCode: 0x3 });
    expect(await client.closed).toMatchObject({ by: 'local', code: 0x3 });
  });

  it('refuses an object over 16 MiB before it is there', async () => {
    const { client, subscription, publication } = await subscribed();
    const fourBytes = speech(version).rendezvous ? 0xe1 : 0x81;
    publication.openSubgroup(header(1)).stream.write(Uint8Array.of(0x00, fourBytes, 0x00, 0x00, 0x01));
    await expect((await subscription.nextSubgroup())!.next()).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
    expect(await client.closed).toMatchObject({ by: 'local', code: 0x1 });
  });

  it('stops the oldest of more than 64 subgroups that nobody reads', async () => {
    const { subscription, publication } = await subscribed();
    const writers = Array.from({ length: 66 }, (_, group) => publication.openSubgroup(header(group)));
    expect(await writers[0]!.stream.stopped).toBe(0x1);
    expect(await writers[1]!.stream.stopped).toBe(0x1);
    expect((await subscription.nextSubgroup())!.groupId).toBe(2);
  });

  it('holds streams that overtake SUBSCRIBE_OK, and stops those nobody wants', async () => {
    const { raw, session, subscribe } = await rawPublisher();
    const { answer, stream } = await subscribe();
    const early = raw.openUni();
    early.write(concat([subgroup(9, 1), draft18.encodeObject(undefined, obj(0, 'early'), false)]));
    const stray = raw.openUni();
    stray.write(subgroup(10, 1));
    // Their headers are read before the answer is.
    await expect.poll(() => early.queuedBytes + stray.queuedBytes).toBe(0);
    stream.send.write(ok(9));
    const subscription = await answer;
    expect(await stray.stopped).toBe(0x1);
    early.finish();
    expect(await allObjects((await subscription.nextSubgroup())!)).toEqual([obj(0, 'early')]);
    session.close(0, '');
  });

  it('holds them for 3 s only: an answer may take as long as a publisher is waited for', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { raw, session, subscribe } = await rawPublisher();
    const { answer } = await subscribe();
    answer.catch(() => {});
    const stray = raw.openUni();
    stray.write(subgroup(10, 1));
    await vi.advanceTimersByTimeAsync(1000);
    const later = raw.openUni();
    later.write(subgroup(10, 2));
    let stopped: number | null | undefined;
    void later.stopped.then((code) => {
      stopped = code;
    });
    await vi.advanceTimersByTimeAsync(2500);
    expect(await stray.stopped).toBe(0x1);
    expect(stopped).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1000);
    expect(stopped).toBe(0x1);
    session.close(0, '');
  });

  it('closes on an alias in use by another track', async () => {
    const { session, subscribe } = await rawPublisher();
    const first = await subscribe('a');
    first.stream.send.write(ok(1));
    await first.answer;
    const second = await subscribe('b');
    second.stream.send.write(ok(1));
    await expect(second.answer).rejects.toMatchObject({ sessionCode: 0x5 });
    expect(await session.closed).toMatchObject({ by: 'local', code: 0x5 });
  });

  it('takes a default priority from the track, and refuses mandatory properties it does not know', async () => {
    const { raw, session, subscribe } = await rawPublisher();
    const first = await subscribe('a');
    first.stream.send.write(ok(1, Uint8Array.of(0x0e, 0x21)));
    const subscription = await first.answer;
    raw.openUni().write(subgroup(1, 4));
    expect(await subscription.nextSubgroup()).toMatchObject({ groupId: 4, priority: 0x21 });
    const second = await subscribe('b');
    second.stream.send.write(ok(2, Uint8Array.of(0xc0, 0x40, 0x00, 0x01)));
    await expect(second.answer).rejects.toMatchObject({ requestCode: 0x33 });
    await expect(second.stream.receive.read().then(() => second.stream.receive.read())).rejects.toMatchObject({
      resetCode: 0x1,
    });
    session.close(0, '');
  });

  it('subscribes to a track once', async () => {
    const { client } = await subscribed();
    await expect(client.subscribe(track)).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  it('does not send what cannot be encoded, and loses no request id by it', async () => {
    const { session, subscribe } = await rawPublisher();
    await expect(session.subscribe({ namespace: [''], name: 'x' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(session.subscribe(track, { priority: 256 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const { stream } = await subscribe();
    expect(await messages(stream.receive, 1)).toMatchObject([{ type: 'subscribe', requestId: 0 }]);
    session.close(0, '');
  });
});

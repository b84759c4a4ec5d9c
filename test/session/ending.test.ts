import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { publishDoneCodes } from '../../src/codec/moqt/codes.ts';
import { draft18 } from '../../src/codec/moqt/draft18/draft18.ts';
import { fromHex } from '../../src/core/bytes.ts';
import type { Publication } from '../../src/session/types.ts';
import {
  allObjects,
  describeVersions,
  encode,
  header,
  messages,
  obj,
  rawPeer,
  request,
  sessions,
  subscribed,
  track,
} from './helpers.ts';

describeVersions('the subscriber leaves', () => {
  it('stops every stream it has not read, whoever ended the subscription, those handed out already too', async () => {
    for (const ended of [false, true]) {
      const { subscription, publication, client } = await subscribed();
      const writers = [1, 2, 3].map((groupId) => publication.openSubgroup(header(groupId)));
      for (const writer of writers) writer.write(obj(0, 'a'));
      const reader = (await subscription.nextSubgroup())!;
      const other = (await subscription.nextSubgroup())!;
      // The third is here too.
      await setImmediate();
      if (ended) {
        for (const writer of writers) writer.finish();
        publication.done(publishDoneCodes.trackEnded, '');
        await subscription.done;
      }
      subscription.unsubscribe();
      for (const writer of writers) expect(await writer.stream.stopped).not.toBeNull();
      // Not as if it were whole.
      await expect(reader.next()).rejects.toMatchObject({ code: 'STREAM_RESET' });
      await expect(other.next()).rejects.toMatchObject({ code: 'STREAM_RESET' });
      client.close(0, '');
    }
  });

  it('cancels the publication and resets its streams', async () => {
    const { subscription, publication, request: incoming } = await subscribed();
    const writer = publication.openSubgroup(header(1));
    writer.write(obj(0, 'a'));
    const reader = (await subscription.nextSubgroup())!;
    await reader.next();
    subscription.unsubscribe();
    expect(await subscription.done).toMatchObject({ by: 'local' });
    expect(await subscription.nextSubgroup()).toBeNull();
    await publication.cancelled;
    await incoming.cancelled;
    await expect(reader.next()).rejects.toMatchObject({ resetCode: 0x1 });
    expect(writer.write(obj(1, 'b'))).toBe(false);
    const dead = publication.openSubgroup(header(2));
    expect(dead.write(obj(0, 'c'))).toBe(false);
    await dead.stream.writable();
    publication.done(0x2, 'too late');
  });

  it('by FIN too, as some peers do', async () => {
    const cancelled: Promise<void>[] = [];
    const { raw, opening, setup } = await rawPeer('server', {
      handlers: { subscribe: (incoming) => void cancelled.push(incoming.accept({ alias: 1 }).cancelled) },
    });
    setup();
    const session = await opening;
    const stream = request(raw, { type: 'subscribe', requestId: 0, track, parameters: {} });
    await messages(stream.receive, 1);
    stream.send.finish();
    await cancelled[0];
    session.close(0, '');
  });

  it('ends a reader that waits', async () => {
    const { subscription } = await subscribed();
    const waiting = subscription.nextSubgroup();
    subscription.unsubscribe();
    expect(await waiting).toBeNull();
  });

  it('can come back at once, under the same alias', async () => {
    const { client, subscription, publications } = await subscribed();
    subscription.unsubscribe();
    const again = await client.subscribe(track);
    publications[1]!.openSubgroup(header(3)).write(obj(0, 'again'));
    expect(await (await again.nextSubgroup())!.next()).toEqual(obj(0, 'again'));
  });

  it('has streams stopped that come after', async () => {
    const { raw, opening, setup } = await rawPeer('client');
    setup();
    const session = await opening;
    const answer = session.subscribe(track);
    const stream = (await raw.acceptBidi())!;
    stream.send.write(
      encode({ type: 'subscribeOk', trackAlias: 4, parameters: {}, trackProperties: new Uint8Array(0) }),
    );
    (await answer).unsubscribe();
    expect(await stream.send.stopped).toBe(0x1);
    const late = raw.openUni();
    late.write(fromHex('30 04 01'));
    expect(await late.stopped).toBe(0x1);
    session.close(0, '');
  });

  it('stops one subgroup, which the publisher resets, and keeps the rest', async () => {
    const { subscription, publication } = await subscribed();
    const stopped = publication.openSubgroup(header(1));
    const kept = publication.openSubgroup(header(2));
    const reader = (await subscription.nextSubgroup())!;
    reader.stop(0x1);
    expect(await reader.next()).toBeNull();
    expect(await stopped.stream.stopped).toBe(0x1);
    kept.write(obj(0, 'kept'));
    expect(await (await subscription.nextSubgroup())!.next()).toEqual(obj(0, 'kept'));
  });
});

describe('a publisher that stops to read its request', () => {
  // moq-relay drops the request stream when it has said so: STOP_SENDING can be there first.
  it('is heard when it says PUBLISH_DONE behind that', async () => {
    const { raw, session, subscription, stream } = await rawSubscription();
    stream.receive.stop(0);
    stream.send.write(encode({ type: 'publishDone', status: 2, streamCount: 1, reason: 'over' }));
    stream.send.finish();
    raw.openUni().write(fromHex('30 01 08'));
    expect((await subscription.nextSubgroup())!.groupId).toBe(8);
    expect(await subscription.done).toEqual({ by: 'publisher', status: 2, reason: 'over' });
    expect(await subscription.nextSubgroup()).toBeNull();
    session.close(0, '');
    expect(await session.closed).toMatchObject({ by: 'local', code: 0 });
  });

  it('is gone if it says no more', async () => {
    const { session, subscription, stream } = await rawSubscription();
    stream.receive.stop(0);
    expect(await subscription.done).toMatchObject({ by: 'publisher', status: publishDoneCodes.internalError });
    session.close(0, '');
  });
});

describeVersions('the publisher ends', () => {
  it('sends PUBLISH_DONE once the last stream is finished, with their number', async () => {
    const { subscription, publication } = await subscribed();
    const first = publication.openSubgroup(header(1));
    const second = publication.openSubgroup(header(2));
    first.write(obj(0, 'a'));
    publication.done(0x2, 'over');
    publication.done(0x0, 'ignored');
    expect(publication.openSubgroup(header(3)).write(obj(0, 'x'))).toBe(false);
    let done = false;
    void subscription.done.then(() => {
      done = true;
    });
    first.finish();
    expect(await allObjects((await subscription.nextSubgroup())!)).toEqual([obj(0, 'a')]);
    expect(done).toBe(false);
    second.stream.finish();
    expect(await allObjects((await subscription.nextSubgroup())!)).toEqual([]);
    expect(await subscription.done).toEqual({ by: 'publisher', status: 0x2, reason: 'over' });
    expect(await subscription.nextSubgroup()).toBeNull();
  });

  it('waits for the streams that were counted', async () => {
    const { raw, session, subscription, stream } = await rawSubscription();
    stream.send.write(encode({ type: 'publishDone', status: 2, streamCount: 2, reason: '' }));
    expect(await subscription.done).toMatchObject({ status: 2 });
    raw.openUni().write(fromHex('30 01 08'));
    raw.openUni().write(fromHex('30 01 09'));
    expect((await subscription.nextSubgroup())!.groupId).toBe(8);
    expect((await subscription.nextSubgroup())!.groupId).toBe(9);
    expect(await subscription.nextSubgroup()).toBeNull();
    session.close(0, '');
  });

  it('waits a second, not for ever, for streams that were reset before their header', async () => {
    const { session, subscription, stream } = await rawSubscription();
    const started = performance.now();
    stream.send.write(encode({ type: 'publishDone', status: 2, streamCount: 1, reason: '' }));
    expect(await subscription.nextSubgroup()).toBeNull();
    expect(performance.now() - started).toBeGreaterThan(900);
    session.close(0, '');
  });

  it('counts a stream that is reset after its header but before its first object', async () => {
    const { raw, session, subscription, stream } = await rawSubscription();
    const empty = raw.openUni();
    // Subgroup named by its first object, which never comes.
    empty.write(fromHex('32 01 08'));
    await expect.poll(() => empty.queuedBytes).toBe(0);
    empty.reset(0x2);
    const started = performance.now();
    stream.send.write(encode({ type: 'publishDone', status: 2, streamCount: 1, reason: '' }));
    expect(await subscription.nextSubgroup()).toBeNull();
    expect(performance.now() - started).toBeLessThan(900);
    session.close(0, '');
  });

  it.each([
    ['reset', (stream: RawStream) => stream.send.reset(0x9)],
    ['FIN', (stream: RawStream) => stream.send.finish()],
  ])('takes a %s of the request stream for an end', async (_, end) => {
    const { session, subscription, stream } = await rawSubscription();
    end(stream);
    expect(await subscription.done).toMatchObject({ by: 'publisher', status: 0x0 });
    session.close(0, '');
  });

  it('hears that the session ended, and so does the subscriber', async () => {
    const { client, server, subscription, publication } = await subscribed();
    const waiting = subscription.nextSubgroup();
    server.close(0x0, 'bye');
    expect(await subscription.done).toEqual({ by: 'session', status: 0x0, reason: 'bye' });
    expect(await waiting).toBeNull();
    await publication.cancelled;
    await client.closed;
  });
});

describeVersions('REQUEST_UPDATE', () => {
  async function accepted() {
    const publications: Publication[] = [];
    const peer = await rawPeer('server', {
      handlers: { subscribe: (incoming) => void publications.push(incoming.accept({ alias: 1 })) },
    });
    peer.setup();
    const session = await peer.opening;
    const stream = request(peer.raw, { type: 'subscribe', requestId: 0, track, parameters: {} });
    expect(await messages(stream.receive, 1)).toMatchObject([{ type: 'subscribeOk' }]);
    return { session, stream, publication: publications[0]! };
  }

  it('of the priority is granted', async () => {
    const { session, stream } = await accepted();
    stream.send.write(
      encode({ type: 'requestUpdate', requestId: 2, parameters: { subscriberPriority: 1, forward: true } }),
    );
    expect(await messages(stream.receive, 1)).toMatchObject([{ type: 'requestOk' }]);
    stream.send.write(encode({ type: 'requestUpdate', requestId: 2, parameters: {} }));
    expect(await session.closed).toMatchObject({ code: 0x4 });
  });

  it('of the filter is refused, which ends the subscription', async () => {
    const { session, stream, publication } = await accepted();
    publication.openSubgroup(header(1));
    const parameters = { subscriptionFilter: { type: 'nextGroup' } } as const;
    stream.send.write(encode({ type: 'requestUpdate', requestId: 2, parameters }));
    expect(await messages(stream.receive, 2)).toMatchObject([
      { type: 'requestError', code: 0x3 },
      { type: 'publishDone', status: 0x8, streamCount: 1 },
    ]);
    await publication.cancelled;
    session.close(0, '');
  });
});

describeVersions('two subscriptions to one track', () => {
  it('are refused by the publisher', async () => {
    const { raw, opening, setup } = await rawPeer('server', { handlers: { subscribe() {} } });
    setup();
    const session = await opening;
    request(raw, { type: 'subscribe', requestId: 0, track, parameters: {} });
    const second = request(raw, { type: 'subscribe', requestId: 2, track, parameters: {} });
    expect(await messages(second.receive, 1)).toMatchObject([{ type: 'requestError', code: 0x19 }]);
    session.close(0, '');
  });

  it('of different tracks may not share an alias', async () => {
    const errors: unknown[] = [];
    const { client } = await sessions({
      server: {
        handlers: {
          subscribe(incoming) {
            try {
              incoming.accept({ alias: 1 });
            } catch (error) {
              errors.push(error);
              incoming.reject(0x0, 'alias');
            }
          },
        },
      },
    });
    await client.subscribe(track);
    await expect(client.subscribe({ ...track, name: 'other' })).rejects.toMatchObject({ requestCode: 0x0 });
    expect(errors).toMatchObject([{ code: 'INVALID_ARGUMENT' }]);
  });
});

type RawStream = Awaited<ReturnType<typeof rawSubscription>>['stream'];

/** A client's subscription whose publisher is bytes; alias 1. */
async function rawSubscription() {
  const { raw, opening, setup } = await rawPeer('client');
  setup();
  const session = await opening;
  const answer = session.subscribe(track);
  const stream = (await raw.acceptBidi())!;
  stream.send.write(
    draft18.encodeMessage({ type: 'subscribeOk', trackAlias: 1, parameters: {}, trackProperties: new Uint8Array(0) }),
  );
  return { raw, session, stream, subscription: await answer };
}

describe('probing a silent peer', () => {
  it('sends a datagram of padding, and nothing once the session is over', async () => {
    const { raw, opening, setup } = await rawPeer('client');
    setup();
    const client = await opening;
    client.probe();
    const datagram = (await raw.receiveDatagram())!;
    expect(draft18.decodeDatagram(datagram)).toBeUndefined();
    // More than a stateless reset (RFC 9000 10.3) even before the packet around it.
    expect(datagram.length).toBeGreaterThan(22);
    client.close(0, '');
    await client.closed;
    client.probe();
    expect(await raw.receiveDatagram()).toBeNull();
  });
});

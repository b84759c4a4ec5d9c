import { describe, expect, it } from 'vitest';
import { requestErrorCodes } from '../../../src/codec/moqt/codes.ts';
import { announceBroadcast } from '../../../src/codec/moqt/lite/announce-broadcast.ts';
import { announceOk } from '../../../src/codec/moqt/lite/announce-ok.ts';
import { announceRequest } from '../../../src/codec/moqt/lite/announce-request.ts';
import { encodeMessage } from '../../../src/codec/moqt/lite/message.ts';
import { StreamBuffer } from '../../../src/codec/moqt/lite/stream-buffer.ts';
import { requestTypes, withStreamType } from '../../../src/codec/moqt/lite/stream-types.ts';
import type { IncomingNamespace, IncomingPrefix, PrefixFeed } from '../../../src/session/types.ts';
import { openSetup, rawClient, sessions, until, versions } from './helpers.ts';

describe.each(versions)('announcements (%s)', (version) => {
  const five = version === 'moq-lite-05';

  it('what we publish is told to a peer that asks, before and after', async () => {
    const { client, server } = await sessions(version, { server: { hopId: 8n }, client: { hopId: 9n } });
    const one = await server.publishNamespace(['room', 'a'], [5n, 8n]);
    await server.publishNamespace(['elsewhere']);
    const seen = await client.subscribeNamespace(['room']);
    expect(await seen.next()).toEqual({ namespace: ['room', 'a'], active: true, hops: [5n, 8n] });
    await server.publishNamespace(['room', 'b']);
    expect(await seen.next()).toEqual({ namespace: ['room', 'b'], active: true, hops: [8n] });
    one.withdraw();
    one.withdraw();
    await one.ended;
    expect(await seen.next()).toEqual({ namespace: ['room', 'a'], active: false });
    server.close(0, '');
    expect(await seen.next()).toEqual({ namespace: ['room', 'b'], active: false });
    expect(await seen.next()).toBeNull();
  });

  it('a handler for namespaces gets what the peer publishes, without being asked for it', async () => {
    const announcements: IncomingNamespace[] = [];
    const { client } = await sessions(version, {
      server: { handlers: { publishNamespace: (announcement) => announcements.push(announcement) } },
      client: { hopId: 3n },
    });
    const published = await client.publishNamespace(['a', 'b']);
    await until(() => announcements.length === 1);
    expect(announcements[0]).toMatchObject({ namespace: ['a', 'b'], hops: [3n] });
    announcements[0]!.accept();
    published.withdraw();
    await announcements[0]!.ended;
    await client.publishNamespace(['c']);
    await until(() => announcements.length === 2);
    client.close(0, '');
    await announcements[1]!.ended;
  });

  it('a handler for prefixes announces, and withdraws, and says when the way is another', async () => {
    const requests: IncomingPrefix[] = [];
    let feed: PrefixFeed | undefined;
    const { client } = await sessions(version, {
      server: {
        hopId: 8n,
        handlers: {
          subscribeNamespace: (request) => {
            requests.push(request);
            feed = request.accept();
            feed.announce(['room', 'a'], [1n, 8n]);
            feed.announce(['other'], [1n, 8n]);
            feed.announce(['room', 'a/b'], [1n, 8n]);
            feed.announce(['room', 'mine'], [1n, 77n, 8n]);
          },
        },
      },
      client: { hopId: 77n },
    });
    const seen = await client.subscribeNamespace(['room']);
    await until(() => requests.length === 1);
    expect(requests[0]!.prefix).toEqual(['room']);
    expect(await seen.next()).toEqual({ namespace: ['room', 'a'], active: true, hops: [1n, 8n] });
    feed!.announce(['room', 'a'], [1n, 8n]);
    feed!.announce(['room', 'a'], [1n, 2n, 8n]);
    feed!.announce(['room', 'b/c'], [8n]);
    feed!.announce(['room', 'd'], [8n]);
    // moq-lite-04 cannot say that it comes another way.
    if (five) expect(await seen.next()).toEqual({ namespace: ['room', 'a'], active: true, hops: [1n, 2n, 8n] });
    expect(await seen.next()).toEqual({ namespace: ['room', 'd'], active: true, hops: [8n] });
    feed!.withdraw(['room', 'a']);
    expect(await seen.next()).toEqual({ namespace: ['room', 'a'], active: false });
    feed!.announce(['room', 'd'], [77n, 8n]);
    if (five) expect(await seen.next()).toEqual({ namespace: ['room', 'd'], active: false });
    seen.cancel();
    await requests[0]!.cancelled;
    feed!.announce(['room', 'z']);
  });

  it('a refused prefix is a refusal, or an end', async () => {
    const { client } = await sessions(version, {
      server: { handlers: { subscribeNamespace: (request) => request.reject(requestErrorCodes.unauthorized, 'no') } },
    });
    if (five) await expect(client.subscribeNamespace([])).rejects.toMatchObject({ name: 'RequestError' });
    else expect(await (await client.subscribeNamespace([])).next()).toBeNull();
  });

  it('namespaces that are no paths cannot be published', async () => {
    const { client } = await sessions(version);
    await expect(client.publishNamespace(['a/b'])).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });

  it('an end of what was not announced closes the session', async () => {
    const { raw, opening } = rawClient(version, { handlers: { publishNamespace: () => {} } });
    openSetup(raw, version);
    const session = await opening;
    const stream = (await raw.acceptBidi())!;
    const buffer = new StreamBuffer(version);
    buffer.push((await stream.receive.read())!);
    expect(buffer.varint()).toBe(requestTypes.announce);
    expect(buffer.message(announceRequest)).toEqual({ prefix: [], excludeHop: 0n });
    if (five) stream.send.write(encodeMessage(announceOk, { hopId: 4n, activeCount: 0 }, version));
    stream.send.write(encodeMessage(announceBroadcast, { active: false, suffix: ['x'], hops: [] }, version));
    expect(await session.closed).toMatchObject({ by: 'local', code: 3 });
  });

  it('a flood of announcements ends with the stream, not with the session', async () => {
    const { raw, opening } = rawClient(version);
    openSetup(raw, version);
    const session = await opening;
    const watching = session.subscribeNamespace([]);
    const stream = (await raw.acceptBidi())!;
    if (five) stream.send.write(encodeMessage(announceOk, { hopId: 4n, activeCount: 0 }, version));
    const seen = await watching;
    let stopped = false;
    void stream.send.stopped.then(() => {
      stopped = true;
    });
    for (let i = 0; i < 12_000 && !stopped; i++) {
      stream.send.write(encodeMessage(announceBroadcast, { active: true, suffix: [`${i}`], hops: [] }, version));
      if (i % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => stopped);
    expect(await seen.next()).toMatchObject({ active: true });
    raw.openBidi().send.write(withStreamType(99, new Uint8Array(0)));
    expect(await Promise.race([session.closed, Promise.resolve('open')])).toBe('open');
  });
});

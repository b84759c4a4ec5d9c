import { describe, expect, it } from 'vitest';
import { streamResetCodes } from '../../../src/codec/moqt/codes.ts';
import { fetch } from '../../../src/codec/moqt/lite/fetch.ts';
import { goaway } from '../../../src/codec/moqt/lite/goaway.ts';
import { group } from '../../../src/codec/moqt/lite/group.ts';
import { encodeMessage } from '../../../src/codec/moqt/lite/message.ts';
import { probe } from '../../../src/codec/moqt/lite/probe.ts';
import { setup } from '../../../src/codec/moqt/lite/setup.ts';
import { dataTypes, requestTypes, withStreamType } from '../../../src/codec/moqt/lite/stream-types.ts';
import { subscribe } from '../../../src/codec/moqt/lite/subscribe.ts';
import { timestampProperty } from '../../../src/codec/moqt/lite/timestamp.ts';
import { concat, fromUtf8 } from '../../../src/core/bytes.ts';
import { StreamsError } from '../../../src/core/errors.ts';
import { establish } from '../../../src/session/establish.ts';
import type { FetchItem, IncomingFetch } from '../../../src/session/types.ts';
import { memoryPair } from '../../../src/transport/memory.ts';
import type { BidiStream, Transport } from '../../../src/transport/transport.ts';
import { obj } from '../helpers.ts';
import { openSetup, rawClient, readAll, sessions, subscribed, track, until, versions } from './helpers.ts';

function request(raw: Transport, bytes: Uint8Array): BidiStream {
  const stream = raw.openBidi();
  stream.send.write(bytes);
  return stream;
}

describe.each(versions)('sessions (%s)', (version) => {
  const five = version === 'moq-lite-05';
  const terms = { priority: 0, ordered: false, maxLatencyMs: 0, groupStart: undefined, groupEnd: undefined };
  const subscribeBytes = (id: number) =>
    withStreamType(requestTypes.subscribe, encodeMessage(subscribe, { id, ...track, ...terms }, version));

  it('a server decides who may come', async () => {
    const pair = memoryPair({ protocol: version, path: '/room?jwt=x' });
    const paths: string[] = [];
    const server = establish(pair.server, {
      role: 'server',
      authorise: async ({ path }) => {
        paths.push(path);
        throw new StreamsError('UNAUTHORIZED', 'auth_failed: no');
      },
    });
    const client = establish(pair.client, { role: 'client', path: '/from/setup' });
    await expect(server).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    if (five) await expect(client).rejects.toMatchObject({ code: 'UNAUTHORIZED', message: 'auth_failed: no' });
    else expect(await (await client).closed).toMatchObject({ code: 2, reason: 'auth_failed: no' });
    expect(paths).toEqual([five ? '/from/setup' : '/room?jwt=x']);
  });

  it('requests wait until it has decided', async () => {
    const { raw, opening } = rawClient(version, {
      authorise: async () => ({ subscribe: (each) => each.reject(0x10, 'no') }),
    });
    const stream = request(raw, subscribeBytes(1));
    openSetup(raw, version);
    await opening;
    await expect(stream.receive.read()).rejects.toMatchObject({ resetCode: 0x33 });
  });

  it('tokens have no place', async () => {
    const pair = memoryPair({ protocol: version });
    const client = establish(pair.client, { role: 'client', tokens: [{ type: 0, value: new Uint8Array(1) }] });
    await expect(client).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });

  it('a whole group is fetched, group by group', async () => {
    const asked: IncomingFetch[] = [];
    const { client } = await sessions(version, {
      server: {
        handlers: {
          subscribe: () => {},
          fetch: async (each) => {
            asked.push(each);
            const { group: groupId } = each.start;
            if (groupId === 9) return each.reject(0x10, 'gone');
            const writer = each.accept({ end: each.end, endOfTrack: false });
            for (const [id, text] of ['a', 'b', 'c'].entries()) {
              const object = obj(id, `${groupId}${text}`, { properties: timestampProperty(BigInt(id * 10)) });
              await writer.write({ kind: 'object', groupId, subgroupId: 0, priority: 1, object });
            }
            writer.finish();
          },
        },
      },
    });
    const fetched = await client.fetch(
      { track, start: { group: 4, object: 1 }, end: { group: 5, object: 2 } },
      { priority: 7 },
    );
    const items: FetchItem[] = [];
    for (let item = await fetched.next(); item !== null; item = await fetched.next()) items.push(item);
    const texts = items.map((item) => (item.kind === 'object' ? fromUtf8(item.object.payload) : ''));
    expect(texts).toEqual(['4b', '4c', '5a', '5b']);
    if (five) expect(items[1]).toMatchObject({ object: { objectId: 2, properties: timestampProperty(20n) } });
    expect(asked[0]).toMatchObject({
      track,
      start: { group: 4, object: 0 },
      end: { group: 4, object: 0 },
      priority: 7,
    });
    const gone = client.fetch({ track, start: { group: 9, object: 0 }, end: { group: 9, object: 0 } });
    await expect(gone).rejects.toMatchObject({ name: 'RequestError', code: 'NOT_FOUND' });
    const many = client.fetch({ track, start: { group: 0, object: 0 }, end: { group: 1000, object: 0 } });
    await expect(many).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });

  it('a group of which nothing is known is not an empty one', async () => {
    const { client } = await sessions(version, {
      server: {
        handlers: {
          subscribe: () => {},
          fetch: async (each) => {
            const writer = each.accept({ end: each.end, endOfTrack: false });
            await writer.write({ kind: 'endOfRange', unknown: true, groupId: each.start.group, objectId: 5 });
            writer.finish();
          },
        },
      },
    });
    const fetched = client.fetch({ track, start: { group: 4, object: 0 }, end: { group: 4, object: 0 } });
    await expect(fetched).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('a fetch given up is cancelled at the other side', async () => {
    const asked: IncomingFetch[] = [];
    const { client } = await sessions(version, {
      server: { handlers: { subscribe: () => {}, fetch: (each) => asked.push(each) } },
    });
    const stop = new AbortController();
    const range = { track, start: { group: 4, object: 0 }, end: { group: 4, object: 0 } };
    const fetched = client.fetch(range, { signal: stop.signal });
    await until(() => asked.length === 1);
    stop.abort();
    await expect(fetched).rejects.toMatchObject({ code: 'INTERRUPTED' });
    await asked[0]!.cancelled;
  });

  it('what moq-lite has no word for is refused', async () => {
    const { client } = await subscribed(version);
    const unsupported = { code: 'UNSUPPORTED' };
    await expect(client.publish(track, { alias: 1 })).rejects.toMatchObject(unsupported);
    await expect(client.subscribeTracks([])).rejects.toMatchObject(unsupported);
    const joining = await client.subscribe(track);
    await expect(client.fetch({ joining, groupsBefore: 1 })).rejects.toMatchObject(unsupported);
    if (!five) await expect(client.trackStatus(track)).rejects.toMatchObject(unsupported);
  });

  it('GOAWAY is heard, and new requests are refused from then on', async () => {
    const { client, server } = await subscribed(version);
    server.sendGoaway({ uri: 'https://elsewhere/' });
    expect(await client.goaway).toEqual({ uri: 'https://elsewhere/', timeoutMs: 0 });
    await expect(client.subscribe(track)).rejects.toMatchObject({ name: 'RequestError', requestCode: 6 });
    expect(() => client.sendGoaway({ uri: 'https://x/' })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });

  it('a redirect of a client counts for nothing', async () => {
    const { raw, opening } = rawClient(version);
    openSetup(raw, version);
    const session = await opening;
    request(raw, withStreamType(requestTypes.goaway, encodeMessage(goaway, { uri: 'https://evil/' }, version)));
    expect((await session.goaway).uri).toBe('');
  });

  it('streams of a kind that is not known are reset, and nothing else', async () => {
    const { raw, opening } = rawClient(version);
    openSetup(raw, version);
    const session = await opening;
    const bidi = request(raw, Uint8Array.of(0x3f));
    await expect(bidi.receive.read()).rejects.toMatchObject({ code: 'STREAM_RESET' });
    const uni = raw.openUni();
    uni.write(Uint8Array.of(0x3e));
    expect(await uni.stopped).toBe(streamResetCodes.internalError);
    const orphan = raw.openUni();
    orphan.write(withStreamType(dataTypes.group, encodeMessage(group, { subscribeId: 99, sequence: 1 }, version)));
    expect(await orphan.stopped).toBe(streamResetCodes.cancelled);
    session.close(0, '');
  });

  it('more Announce Streams than anybody needs are reset', async () => {
    const { raw, opening } = rawClient(version);
    openSetup(raw, version);
    const session = await opening;
    const bytes = withStreamType(requestTypes.announce, Uint8Array.of(2, 0, 0));
    const streams = Array.from({ length: 257 }, () => request(raw, bytes));
    await expect(streams[256]!.receive.read()).rejects.toMatchObject({ code: 'STREAM_RESET' });
    streams[0]!.send.finish();
    expect(await readAll(streams[0]!.receive)).not.toBeNull();
    await session.publishNamespace(['late']);
    const again = request(raw, bytes);
    expect(await again.receive.read()).not.toBeNull();
  });

  it('a Probe Stream is reset where the transport knows no estimates', async () => {
    const { raw, opening } = rawClient(version);
    openSetup(raw, version);
    await opening;
    const bytes = withStreamType(requestTypes.probe, encodeMessage(probe, { bitrate: 1, rttMs: 0 }, version));
    expect(await readAll(request(raw, bytes).receive)).toBeNull();
  });

  it.each([
    ['a request cut off', () => request, Uint8Array.of(requestTypes.subscribe, 5, 1)],
    ['a message of wrong length', () => request, Uint8Array.of(requestTypes.fetch, 1, 0)],
    ['a message over the limit', () => request, Uint8Array.of(requestTypes.announce, 0x80, 0xff, 0xff, 0xff)],
  ])('%s closes the session', async (_, open, bytes) => {
    const { raw, opening } = rawClient(version, { handlers: { subscribe: () => {} } });
    openSetup(raw, version);
    const session = await opening;
    open()(raw, bytes).send.finish();
    const { by, code } = await session.closed;
    expect([by, code === 3 || code === 1]).toEqual(['local', true]);
  });

  it('a subscribe id twice closes the session', async () => {
    const { raw, opening } = rawClient(version, { handlers: { subscribe: () => {} } });
    openSetup(raw, version);
    const session = await opening;
    request(raw, subscribeBytes(4));
    request(raw, subscribeBytes(4));
    expect(await session.closed).toMatchObject({ by: 'local', code: 3 });
  });

  it('a group that ends inside a frame closes the session', async () => {
    const { raw, opening } = rawClient(version);
    openSetup(raw, version);
    const session = await opening;
    const pending = session.subscribe(track);
    if (five) {
      const info = (await raw.acceptBidi())!;
      info.send.write(Uint8Array.of(5, 127, 1, 0, 0x43, 0xe8));
      info.send.finish();
    }
    const stream = (await raw.acceptBidi())!;
    if (!five) stream.send.write(Uint8Array.of(0, 5, 127, 1, 0, 0, 0));
    const subscription = await pending;
    const uni = raw.openUni();
    const head = withStreamType(dataTypes.group, encodeMessage(group, { subscribeId: 0, sequence: 3 }, version));
    uni.write(concat([head, five ? Uint8Array.of(0, 9, 1) : Uint8Array.of(9, 1)]));
    uni.finish();
    const incoming = (await subscription.nextSubgroup())!;
    await expect(incoming.next()).rejects.toMatchObject({ code: 'PROTOCOL_VIOLATION' });
    expect(await session.closed).toMatchObject({ by: 'local', code: 3 });
  });

  it('a peer that is not there does not keep anybody waiting', async () => {
    const pair = memoryPair({ protocol: version });
    const waiting = establish(pair.server, {
      role: 'server',
      setupTimeoutMs: 30,
      authorise: () => new Promise(() => {}),
    });
    await expect(waiting).rejects.toMatchObject({ code: 'TIMEOUT' });
  });
});

describe('SETUP of moq-lite-05', () => {
  const version = 'moq-lite-05';
  const setupStream = (raw: Transport, bytes: Uint8Array) => {
    const stream = raw.openUni();
    stream.write(concat([Uint8Array.of(dataTypes.setup), bytes]));
    stream.finish();
  };
  const empty = encodeMessage(setup, {}, version);

  it('tells who the peer is in hop lists', async () => {
    const { client, server } = await sessions(version, { client: { hopId: 11n }, server: { hopId: 12n } });
    expect([server.peer.hopId, client.peer.hopId]).toEqual([11n, 12n]);
  });

  it.each([
    ['a second one', [empty, empty]],
    ['one with more behind it', [concat([empty, empty])]],
    ['none', [new Uint8Array(0)]],
    ['a path that is none', [encodeMessage(setup, { path: 'no slash' }, version)]],
  ])('%s closes the session', async (_, streams) => {
    const { raw, opening } = rawClient(version);
    for (const bytes of streams) setupStream(raw, bytes);
    opening.then((session) => session.closed).catch(() => {});
    expect(await raw.closed).toMatchObject({ by: 'peer' });
  });

  it('does not exist in moq-lite-04', async () => {
    const { raw, opening } = rawClient('moq-lite-04');
    const stream = raw.openUni();
    stream.write(Uint8Array.of(dataTypes.setup, 1, 0));
    expect(await stream.stopped).toBe(streamResetCodes.internalError);
    (await opening).close(0, '');
  });

  it('a fetch for a track that nobody here publishes is reset', async () => {
    const { raw, opening } = rawClient(version);
    openSetup(raw, version);
    await opening;
    const message = encodeMessage(fetch, { namespace: ['a'], name: 'x', priority: 0, group: 1 }, version);
    expect(await readAll(request(raw, withStreamType(requestTypes.fetch, message)).receive)).toBeNull();
    expect(await readAll(request(raw, Uint8Array.of(requestTypes.track, 3, 1, 0x61, 0)).receive)).toBeNull();
  });
});

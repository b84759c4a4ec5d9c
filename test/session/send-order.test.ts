import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { publisherPriority } from '../../src/codec/catalog/publisher-priority.ts';
import { liteProtocols } from '../../src/codec/moqt/lite/version.ts';
import { objectPriorities, pictureOf, transportPriorities } from '../../src/core/send-order.ts';
import { establish } from '../../src/session/establish.ts';
import { streamPriority } from '../../src/session/stream-priority.ts';
import type {
  EstablishOptions,
  IncomingSubgroup,
  IncomingSubscribe,
  Session,
  SubgroupWriter,
} from '../../src/session/types.ts';
import type { ReceiveStream, Transport } from '../../src/transport/transport.ts';
import { acceptWebTransport } from '../../src/transport/webtransport/accept.ts';
import { connectWebTransport } from '../../src/transport/webtransport/connect.ts';
import { testConnect, testListener } from '../helpers/quic.ts';
import { type StalledLine, stalledLine } from '../helpers/stalled-line.ts';
import { qmuxPair } from '../transport/qmux-pair.ts';
import { pattern } from '../transport/streams.ts';

type Line = { client: Transport; server: Transport; hold(): void; release(): void };

async function quicLine(alpn: string): Promise<Line & { line: StalledLine }> {
  const listener = await testListener({ alpn: [alpn] });
  const line = await stalledLine(listener.port);
  const accepted = listener.accept();
  const client = await testConnect(line.port, { alpn: [alpn] });
  const server = (await accepted)!;
  onTestFinished(async () => {
    line.release();
    client.close({ code: 0, reason: '' });
    await client.closed;
    await listener.close();
    line.close();
  });
  return { client, server, line, hold: line.hold, release: line.release };
}

async function webTransportLine(version: string): Promise<Line> {
  const base = await quicLine('h3');
  const [client, server] = await Promise.all([
    connectWebTransport(base.client, { authority: 'localhost:4443', path: '/', protocols: [version] }),
    acceptWebTransport(base.server, { protocols: [version] }),
  ]);
  return { ...base, client, server };
}

/** 2 MiB in streams of the peer that go before nobody: more than what may be under way at once. */
function flood(transport: Transport): void {
  const { unsaid: priority } = objectPriorities;
  const of = { subscriberPriority: 0, publisherPriority: priority, groupOrder: 'ascending', subgroupId: 0 } as const;
  for (let groupId = 0; groupId < 8; groupId++) {
    const stream = transport.openUni({ priority: streamPriority({ ...of, groupId }) });
    stream.write(pattern(256 * 1024, groupId));
  }
}

/** Counts all that comes on the peer's one-way streams. */
function counted(transport: Transport): { bytes: number } {
  const count = { bytes: 0 };
  void (async () => {
    for (let stream = await transport.acceptUni(); stream !== null; stream = await transport.acceptUni()) {
      void drain(stream, (part) => {
        count.bytes += part.length;
      });
    }
  })();
  return count;
}

/** To its end, or that of the connection. */
async function drain(stream: ReceiveStream, take: (part: Uint8Array) => void): Promise<void> {
  const next = () => stream.read().catch(() => null);
  for (let part = await next(); part !== null; part = await next()) take(part);
}

/** The first flight, and what quinn had put on its way before it looked again. */
const underWay = 512 * 1024;

describe('the table', () => {
  it('has control before requests before all objects before what nobody waits for', () => {
    const { control, request, topObject, last } = transportPriorities;
    const of = (publisher: number) =>
      streamPriority({
        subscriberPriority: 0,
        publisherPriority: publisher,
        groupOrder: 'ascending',
        groupId: 0,
        subgroupId: 0,
      });
    const inOrder = [control, request, topObject, of(1), of(255), last];
    expect([...inOrder].sort((a, b) => b - a)).toEqual(inOrder);
    expect(of(0)).toBe(topObject);
    expect(control).toBeLessThan(2 ** 31);
  });

  it('has catalogs before sound before pictures by size before what is fetched', () => {
    const names = ['catalog', 'audio', 'video/240p', 'video/360p', 'video/720p', 'video/1080p', 'video'];
    const order = names.map(publisherPriority);
    expect(order.toSorted((a, b) => a - b)).toEqual(order);
    expect(new Set(order).size).toBe(order.length);
    expect(order.at(-1)).toBeLessThan(objectPriorities.unsaid);
    expect(publisherPriority('cmaf/video/360p')).toBe(publisherPriority('video/360p'));
    expect(publisherPriority('cmaf/audio-2')).toBe(objectPriorities.audio);
    expect(publisherPriority('catalog.json')).toBe(objectPriorities.catalog);
    expect(publisherPriority('video/90p')).toBe(objectPriorities.video);
    expect(publisherPriority('video/4320p')).toBe(pictureOf(undefined));
  });
});

describe.each([
  ['raw QUIC', () => quicLine('test')],
  ['WebTransport', () => webTransportLine('moqt-18')],
])('an answer on a stream that the peer opened, over a full line: %s', (_, open) => {
  it('goes before all media', async () => {
    const { client, server, hold, release } = await open();
    const media = counted(client);
    hold();
    flood(server);
    const { send, receive } = client.openBidi({ priority: transportPriorities.request });
    send.write(pattern(10));
    const asked = (await server.acceptBidi())!;
    expect(await asked.receive.read()).toEqual(pattern(10));
    asked.send.write(pattern(100));
    const answer = receive.read();
    release();
    expect((await answer)?.[0]).toBe(pattern(1)[0]);
    expect(media.bytes).toBeLessThan(underWay);
  });
});

it('the end of a WebTransport session goes before all media', async () => {
  const { client, server, hold, release } = await webTransportLine('moqt-18');
  const media = counted(client);
  hold();
  flood(server);
  server.close({ code: 7, reason: 'moved' });
  release();
  expect(await client.closed).toMatchObject({ by: 'peer', code: 7, reason: 'moved' });
  expect(media.bytes).toBeLessThan(underWay);
});

it('an answer over a WebSocket that is full goes before all media', async () => {
  const { client, server, close } = await qmuxPair();
  onTestFinished(close);
  const media = counted(client);
  const { send, receive } = client.openBidi({ priority: transportPriorities.request });
  send.write(pattern(10));
  const asked = (await server.acceptBidi())!;
  await asked.receive.read();
  // All in one turn: the socket takes what it holds, the rest waits by priority.
  flood(server);
  asked.send.write(pattern(100));
  expect((await receive.read())?.[0]).toBe(pattern(1)[0]);
  expect(media.bytes).toBeLessThan(underWay);
});

it('streams that wait for the credit of the peer get it by priority', async () => {
  const listener = await testListener();
  const accepted = listener.accept();
  const client = await testConnect(listener.port, { maxIncomingUni: 1 });
  const server = (await accepted)!;
  onTestFinished(async () => {
    client.close({ code: 0, reason: '' });
    await listener.close();
  });
  const open = (priority: number): void => {
    const stream = server.openUni({ priority });
    stream.write(Uint8Array.of(priority));
    stream.finish();
  };
  for (const priority of [9, 1, 2, 5, 2]) open(priority);
  const order: number[] = [];
  for (let i = 0; i < 5; i++) {
    const stream = (await client.acceptUni())!;
    for (let part = await stream.read(); part !== null; part = await stream.read()) order.push(part[0]!);
  }
  expect(order).toEqual([9, 5, 2, 2, 1]);
});

const versions = ['moqt-16', 'moqt-18', 'moqt-20', 'moqt-22', ...liteProtocols];

describe.each(versions)('a session over a full line (%s)', (version) => {
  async function sessions(handlers: EstablishOptions['handlers']) {
    const line = await quicLine(version);
    const [client, server] = await Promise.all([
      establish(line.client, { role: 'client' }),
      establish(line.server, { role: 'server', handlers: handlers! }),
    ]);
    return { ...line, client: client as Session, server: server as Session };
  }

  it('SUBSCRIBE is answered before the media of another subscription', async () => {
    const requests: IncomingSubscribe[] = [];
    let filled: SubgroupWriter[] = [];
    let asked: () => void = () => {};
    const second = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const { client, hold, release } = await sessions({
      subscribe(request) {
        requests.push(request);
        const publication = request.accept({ alias: requests.length });
        if (requests.length > 1) return asked();
        filled = Array.from({ length: 8 }, (_, groupId) => {
          const header = { groupId, subgroupId: 0, priority: 2, endOfGroup: true, firstObject: true };
          return publication.openSubgroup(header);
        });
      },
      trackStatus(request) {
        request.accept({});
        if (requests.length > 0) asked();
      },
    });
    const namespace = ['stream', 'org_local', 'lv_1'];
    const media = await client.subscribe({ namespace, name: 'video/720p' });
    let received = 0;
    const take = async (group: IncomingSubgroup) => {
      for (let object = await group.next(); object !== null; object = await group.next())
        received += object.payload.length;
    };
    void (async () => {
      for (let group = await media.nextSubgroup(); group !== null; group = await media.nextSubgroup()) void take(group);
    })();
    await until(() => filled.length > 0);
    hold();
    for (const writer of filled) {
      const payload = pattern(16 * 1024);
      for (let objectId = 0; objectId < 16; objectId++)
        writer.write({ objectId, status: 'normal', properties: undefined, payload });
      writer.finish();
    }
    const audio = { namespace, name: 'audio' };
    // moq-lite asks in two steps, of which the first is enough.
    const answered = version === 'moq-lite-05' ? client.trackStatus(audio) : client.subscribe(audio);
    await second;
    release();
    await answered;
    expect(received).toBeLessThan(underWay);
    // The rest is there, and comes.
    await until(() => received === 8 * 256 * 1024);
  });
});

it('nothing opens a stream without its place in the order', () => {
  const opens: string[] = [];
  const src = join(import.meta.dirname, '../../src');
  const rooms = ['session', 'relay', 'engine', 'sdk', 'transport/webtransport'];
  const files = rooms.flatMap((room) =>
    readdirSync(join(src, room), { recursive: true, encoding: 'utf8' }).map((name) => join(room, name)),
  );
  for (const file of files.filter((name) => name.endsWith('.ts'))) {
    const text = readFileSync(join(src, file), 'utf8');
    for (const [call] of text.matchAll(/\b(?:transport|base)\.open(?:Uni|Bidi)\([^)]*\)/g))
      if (!/priority|options/.test(call)) opens.push(`${file}: ${call}`);
  }
  expect(files.length).toBeGreaterThan(100);
  expect(opens).toEqual([]);
});

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('it did not come about');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

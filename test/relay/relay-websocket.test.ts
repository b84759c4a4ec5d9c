import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { fromHex } from '../../src/core/bytes.ts';
import { type Relay, type RelayOptions, startRelay } from '../../src/relay/start-relay.ts';
import { establish } from '../../src/session/establish.ts';
import type { Publication, Session, SessionHandlers } from '../../src/session/types.ts';
import { connect } from '../../src/transport/connect.ts';
import { connectQmux } from '../../src/transport/qmux/connect.ts';
import { QmuxTransport } from '../../src/transport/qmux/qmux-transport.ts';
import { WsSocket } from '../../src/transport/qmux/ws-socket.ts';
import type { Transport } from '../../src/transport/transport.ts';
import { capturingLogger, startTestControl, type TestControl } from '../control/helpers.ts';
import { pattern } from '../transport/streams.ts';
import { eventually } from './eventually.ts';
import { nextGroup, object } from './harness.ts';
import { enginePath, type Input, newInput, relayOptions } from './with-control.ts';

let control: TestControl;
let relay: Relay;
let log: ReturnType<typeof capturingLogger>;
const opened: Transport[] = [];

async function start(change: Partial<RelayOptions> = {}): Promise<void> {
  relay = await startRelay(relayOptions(control, log, change));
}

beforeEach(async () => {
  control = await startTestControl({ now: Date.now });
  log = capturingLogger();
});
afterEach(async () => {
  for (const transport of opened.splice(0)) transport.close({ code: 0, reason: '' });
  await relay.close();
  await control[Symbol.asyncDispose]();
});

async function dial(scheme: 'ws' | 'https', path: string): Promise<Transport> {
  const transport = await connect(`${scheme}://127.0.0.1:${relay.port}${path}`, {
    versions: ['moqt-18'],
    certificateHashes: [fromHex(relay.certificateSha256)],
  });
  opened.push(transport);
  return transport;
}

async function session(scheme: 'ws' | 'https', path: string, handlers: SessionHandlers = {}): Promise<Session> {
  return establish(await dial(scheme, path), { role: 'client', handlers });
}

async function publish(scheme: 'ws' | 'https', input: Input): Promise<Publication[]> {
  const publications: Publication[] = [];
  const publisher = await session(scheme, enginePath(input.id), {
    subscribe: (request) => void publications.push(request.accept({ alias: 3 })),
  });
  await publisher.publishNamespace(input.namespace);
  return publications;
}

describe('the relay by WebSocket', () => {
  it.each([
    ['https', 'ws'],
    ['ws', 'https'],
    ['ws', 'ws'],
  ] as const)('carries a broadcast from %s to %s, byte for byte', async (from, to) => {
    await start();
    const input = await newInput(control);
    const publications = await publish(from, input);
    const viewer = await session(to, `/playback/${input.id}?tok=${input.token}`);
    const subscription = await viewer.subscribe({ namespace: input.namespace, name: 'video/720p' });
    const payloads = [600, 90_000, 8192, 300_000].map((size, seed) => pattern(size, seed));
    const writer = publications[0]!.openSubgroup({ groupId: 1, subgroupId: 0, priority: 2, endOfGroup: true });
    for (const [id, payload] of payloads.entries()) expect(writer.write({ ...object(1, id), payload })).toBe(true);
    writer.finish();
    const subgroup = (await subscription.nextSubgroup())!;
    for (const payload of payloads) expect(Buffer.compare((await subgroup.next())!.payload, payload)).toBe(0);
    expect(await subgroup.next()).toBeNull();
    expect(relay.stats()).toMatchObject({ sessions: 2, publishers: 1, subscriptions: 1, objectsDropped: 0 });
  });

  it('refuses with the same words as over QUIC, and logs no secret', async () => {
    await start();
    const [input, other] = [await newInput(control), await newInput(control)];
    const wrongKey = `${input.streamKey.slice(0, -1)}${input.streamKey.endsWith('x') ? 'y' : 'x'}`;
    const paths = [`/publish/${input.id}?sk=${wrongKey}`, `/playback/${input.id}?tok=${other.token}`, '/elsewhere'];
    for (const path of paths) {
      const refusal = (scheme: 'ws' | 'https') => session(scheme, path).then(String, (error: Error) => error.message);
      const said = await refusal('ws');
      expect(said).toMatch(/auth_failed|no such path/);
      expect(said).toBe(await refusal('https'));
    }
    await eventually(() => expect(log.lines.filter((line) => line.includes('session refused')).length).toBe(6));
    for (const secret of [wrongKey, other.token, 'sk=', 'tok=']) expect(log.lines.join('\n')).not.toContain(secret);
  });

  it('counts connections of an address on both doors together', async () => {
    await start({ limits: { connectBurst: 2, connectsPerSecond: 0.001 } });
    await dial('https', '/playback/x');
    await dial('ws', '/playback/x');
    await expect(dial('ws', '/playback/x')).rejects.toMatchObject({
      code: 'RATE_LIMITED',
      message: expect.stringContaining('too many connections'),
    });
    await expect(dial('https', '/playback/x')).rejects.toThrow();
  });

  it('ends a session that never says SETUP, and one that breaks MoQT, with the code of QUIC', async () => {
    await start({ limits: { handshakeMs: 300 } });
    const url = `ws://127.0.0.1:${relay.port}/playback/x`;
    const silent = await connectQmux({ url, versions: ['moqt-18'] });
    expect((await silent.closed).by).toBe('peer');
    const broken = await connectQmux({ url, versions: ['moqt-18'] });
    broken.openUni().write(new Uint8Array(100).fill(0xff));
    expect(await broken.closed).toMatchObject({ by: 'peer', code: 3 });
    // Upgraded, and then not a word of QMux.
    const mute = new WebSocket(url, ['qmux-02.moqt-18']);
    await new Promise((resolve) => mute.once('close', resolve));
    await eventually(() => expect(relay.stats().sessions).toBe(0));
  });

  it('drops groups for a viewer whose socket has stalled, and for nobody else', async () => {
    await start({ limits: { idleTimeoutMs: 60_000 } });
    const input = await newInput(control);
    const publications = await publish('https', input);
    const path = `/playback/${input.id}?tok=${input.token}`;
    const track = { namespace: input.namespace, name: 'video/720p' };
    const socket = new WebSocket(`ws://127.0.0.1:${relay.port}${path}`, ['qmux-02.moqt-18'], { autoPong: false });
    const role = { role: 'client', protocol: 'moqt-18', path, remoteAddress: '' } as const;
    const stalled = await new Promise<Transport>((resolve, reject) => {
      socket.once('error', reject);
      // In the event itself: the relay's first message may come with the upgrade.
      socket.once('open', () => resolve(new QmuxTransport(new WsSocket(socket), role)));
    });
    opened.push(stalled);
    await (await establish(stalled, { role: 'client' })).subscribe(track);
    const good = await (await session('ws', path)).subscribe(track);
    socket.pause();
    const groups = 60;
    for (let groupId = 1; groupId <= groups; groupId++) {
      const writer = publications[0]!.openSubgroup({ groupId, subgroupId: 0, priority: 2, endOfGroup: true });
      expect(writer.write(object(groupId, 0, 400_000))).toBe(true);
      writer.finish();
      expect(await nextGroup(good)).toEqual({ group: groupId, ids: [0], end: 'fin', sizes: [400_000] });
    }
    await eventually(() => expect(relay.stats().groupsDropped).toBeGreaterThan(10));
    expect(relay.stats().groupsDropped).toBeLessThan(groups);
    socket.terminate();
  });

  it('closes with sessions open', async () => {
    await start();
    const input = await newInput(control);
    const viewer = await session('ws', `/playback/${input.id}?tok=${input.token}`);
    await relay.close();
    expect(await viewer.closed).toMatchObject({ by: 'peer', code: 0 });
  });
});

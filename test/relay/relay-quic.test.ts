import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { codes } from '../../src/codec/moqt/codes.ts';
import { fromHex } from '../../src/core/bytes.ts';
import { type Relay, startRelay } from '../../src/relay/start-relay.ts';
import { establish } from '../../src/session/establish.ts';
import type { Publication, Session } from '../../src/session/types.ts';
import { connectQuic } from '../../src/transport/quic/connect.ts';
import { listenQuic } from '../../src/transport/quic/listen.ts';
import type { Transport } from '../../src/transport/transport.ts';
import { connectWebTransport } from '../../src/transport/webtransport/connect.ts';
import { capturingLogger, startTestControl, type TestControl } from '../control/helpers.ts';
import { testCertificate } from '../helpers/certificate.ts';
import { eventually } from './eventually.ts';
import { nextGroup, object, readSubgroup } from './harness.ts';
import { enginePath, type Input, newInput, relayOptions } from './with-control.ts';

let control: TestControl;
let relay: Relay;
let log: ReturnType<typeof capturingLogger>;
const opened: Transport[] = [];

beforeEach(async () => {
  control = await startTestControl({ now: Date.now });
  log = capturingLogger();
  relay = await startRelay(relayOptions(control, log));
});
afterEach(async () => {
  for (const transport of opened.splice(0)) transport.close({ code: 0, reason: '' });
  await relay.close();
  await control[Symbol.asyncDispose]();
});

async function dial(alpn: string): Promise<Transport> {
  const trust = { certificateHashes: [fromHex(relay.certificateSha256)] };
  const transport = await connectQuic({ host: '127.0.0.1', port: relay.port, alpn: [alpn], trust });
  opened.push(transport);
  return transport;
}

async function overWebTransport(path: string, handlers = {}): Promise<Session> {
  const base = await dial('h3');
  const authority = `127.0.0.1:${relay.port}`;
  const transport = await connectWebTransport(base, { authority, path, protocols: ['moqt-18'] });
  return establish(transport, { role: 'client', handlers });
}

async function overQuic(path: string, handlers = {}): Promise<Session> {
  return establish(await dial('moqt-18'), {
    role: 'client',
    path,
    authority: `127.0.0.1:${relay.port}`,
    handlers,
  });
}

async function publish(input: Input, connect = overQuic): Promise<{ session: Session; publications: Publication[] }> {
  const publications: Publication[] = [];
  const session = await connect(enginePath(input.id), {
    subscribe(request: Parameters<NonNullable<import('../../src/session/types.ts').SessionHandlers['subscribe']>>[0]) {
      publications.push(request.accept({ alias: 3 }));
    },
  });
  await session.publishNamespace(input.namespace);
  return { session, publications };
}

function send(publication: Publication, groupId: number, sizes: number[]): void {
  const writer = publication.openSubgroup({ groupId, subgroupId: 0, priority: 2, endOfGroup: true });
  for (const [id, size] of sizes.entries()) expect(writer.write(object(groupId, id, size))).toBe(true);
  writer.finish();
}

describe('the relay on real sockets', () => {
  it('carries a broadcast from raw QUIC to WebTransport and raw QUIC viewers', async () => {
    const input = await newInput(control);
    const path = `/playback/${input.id}?tok=${input.token}`;
    const track = { namespace: input.namespace, name: 'video/720p' };
    const early = await overWebTransport(path);
    const waiting = early.subscribe(track, { rendezvousMs: 10_000 });
    const { publications } = await publish(input);
    const subscriptions = [await waiting];
    for (const connect of [overWebTransport, overQuic])
      subscriptions.push(await (await connect(path)).subscribe(track));
    expect(publications.length).toBe(1);
    const sizes = [600, 90_000, 8192, 8192];
    send(publications[0]!, 1, sizes);
    for (const subscription of subscriptions) {
      expect(await nextGroup(subscription)).toEqual({ group: 1, ids: [0, 1, 2, 3], end: 'fin', sizes });
    }
    const late = await (await overWebTransport(path)).subscribe(track);
    expect(late.largest).toEqual({ group: 1, object: 3 });
    expect(await nextGroup(late)).toEqual({ group: 1, ids: [0, 1, 2, 3], end: 'fin', sizes });
    expect(relay.stats()).toMatchObject({ sessions: 5, publishers: 1, subscriptions: 4, tracks: 1, objectsDropped: 0 });
  });

  it('takes a publisher over WebTransport, and resets what it leaves unfinished', async () => {
    const input = await newInput(control);
    const { session, publications } = await publish(input, overWebTransport);
    const viewer = await overWebTransport(`/playback/${input.id}?tok=${input.token}`);
    const subscription = await viewer.subscribe({ namespace: input.namespace, name: 'audio' });
    const writer = publications[0]!.openSubgroup({ groupId: 1, subgroupId: 0, priority: 1, endOfGroup: true });
    writer.write(object(1, 0, 5000));
    const subgroup = (await subscription.nextSubgroup())!;
    expect((await subgroup.next())?.payload.length).toBe(5000);
    session.close(0, 'bye');
    expect(await readSubgroup(subgroup)).toMatchObject({ ids: [], end: 'reset' });
  });

  it('refuses what the control plane refuses, in words, and logs no secret', async () => {
    const input = await newInput(control);
    const other = await newInput(control);
    const wrongKey = `${input.streamKey.slice(0, -1)}${input.streamKey.endsWith('x') ? 'y' : 'x'}`;
    for (const connect of [overQuic, overWebTransport]) {
      await expect(connect(`/publish/${input.id}?sk=${wrongKey}`)).rejects.toThrow(/^auth_failed: /);
      await expect(connect(`/playback/${input.id}?tok=${other.token}`)).rejects.toThrow(
        /^auth_failed: .*another input/,
      );
      await expect(connect('/elsewhere')).rejects.toThrow(/no such path/);
    }
    await eventually(() => expect(log.lines.filter((line) => line.includes('session refused')).length).toBe(6));
    for (const secret of [wrongKey, other.token, 'sk=', 'tok=']) expect(log.lines.join('\n')).not.toContain(secret);
  });

  it('closes viewers whose signing key is deactivated', async () => {
    const input = await newInput(control);
    const viewer = await overWebTransport(`/playback/${input.id}?tok=${input.token}`);
    expect((await control.call('POST', `/v1/signing-keys/${input.kid}/deactivate`)).status).toBe(200);
    expect(await viewer.closed).toMatchObject({
      by: 'peer',
      code: codes.session.unauthorized,
      reason: expect.stringMatching(/^auth_failed: .*deactivated/),
    });
  });

  it('shrugs at garbage datagrams and at a broken HTTP/3 peer', async () => {
    const input = await newInput(control);
    const viewer = await overWebTransport(`/playback/${input.id}?tok=${input.token}`);
    const socket = createSocket('udp4');
    for (let i = 0; i < 100; i++) {
      const garbage = new Uint8Array(40 + i * 10).map((_, at) => (at * 31 + i * 7) & 0xff);
      await new Promise((resolve) => socket.send(garbage, relay.port, '127.0.0.1', resolve));
    }
    socket.close();
    const broken = await dial('h3');
    // A control stream that begins with DATA (RFC 9114 6.2.1).
    broken.openUni().write(Uint8Array.of(0, 0, 0));
    expect(await broken.closed).toMatchObject({ by: 'peer' });
    const half = await dial('moqt-18');
    half.openUni().write(new Uint8Array(100).fill(0xff));
    expect(await half.closed).toMatchObject({ by: 'peer', code: codes.session.protocolViolation });
    await expect(viewer.subscribe({ namespace: input.namespace, name: 'x' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await eventually(() => expect(log.lines.filter((line) => line.includes('session refused')).length).toBe(2));
  });

  it('answers HTTP on the same port number', async () => {
    const text = await (await fetch(`http://127.0.0.1:${relay.port}/certificate.sha256`)).text();
    expect(text).toBe(relay.certificateSha256);
  });

  it('says which port is in use, UDP or TCP, and what to pass', async () => {
    const { certificatePem, privateKeyPem } = await testCertificate();
    const udp = await listenQuic({ host: '127.0.0.1', port: 0, alpn: ['x'], certificatePem, privateKeyPem });
    const tcp = createServer();
    await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
    const ports = { UDP: udp.port, TCP: (tcp.address() as { port: number }).port };
    for (const [protocol, port] of Object.entries(ports)) {
      await expect(startRelay(relayOptions(control, log, { port }))).rejects.toMatchObject({
        code: 'PORT_IN_USE',
        message: expect.stringContaining(`${protocol} port ${port}`),
        hint: expect.stringContaining('--relay-port'),
      });
    }
    await udp.close();
    await new Promise((resolve) => tcp.close(resolve));
  });

  it('tells everybody when it closes, and comes back with the same certificate', async () => {
    const before = relay.certificateSha256;
    const { port } = relay;
    const shown = await newInput(control);
    const path = `/playback/${shown.id}?tok=${shown.token}`;
    const viewers = [await overWebTransport(path), await overQuic(path), (await publish(shown)).session];
    await relay.close();
    for (const viewer of viewers) {
      expect(await viewer.closed).toEqual({ by: 'peer', code: 0, reason: 'the relay is shutting down' });
    }
    relay = await startRelay(relayOptions(control, log, { port }));
    expect(relay.certificateSha256).toBe(before);
    const input = await newInput(control);
    await publish(input);
  });

  it('offers only the versions it was told to', async () => {
    await expect(startRelay(relayOptions(control, log, { versions: ['moqt-99'] }))).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
    await expect(dial('moqt-99')).rejects.toMatchObject({ code: 'RELAY_UNREACHABLE' });
  });
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { hex } from '../../src/core/bytes.ts';
import { connect } from '../../src/transport/connect.ts';
import type { QuicListener } from '../../src/transport/quic/listen.ts';
import { listenQuic } from '../../src/transport/quic/listen.ts';
import { parseRelayUrl } from '../../src/transport/relay-url.ts';
import type { Transport } from '../../src/transport/transport.ts';
import { acceptWebTransport } from '../../src/transport/webtransport/accept.ts';
import { testCertificate } from '../helpers/certificate.ts';

const certificate = await testCertificate();
const toClose: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close();
});

/** HTTP on the TCP port that QUIC has on UDP, as the relay does it. */
async function relay(alpn: string[], body: string): Promise<{ listener: QuicListener; asked: string[] }> {
  const asked: string[] = [];
  const http: Server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.end(body);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  toClose.push(() => new Promise((resolve) => http.close(resolve).closeAllConnections()));
  const { port } = http.address() as AddressInfo;
  const listener = await listenQuic({ host: '127.0.0.1', port, alpn, ...certificate });
  toClose.push(() => listener.close());
  return { listener, asked };
}

async function nextSession(listener: QuicListener): Promise<Transport> {
  const base = await listener.accept();
  if (base === null) throw new Error('the listener closed');
  return acceptWebTransport(base, { protocols: ['moqt-18'] });
}

describe('connect', () => {
  it('pins the hash that a relay on loopback tells', async () => {
    const { listener, asked } = await relay(['h3'], `${hex(certificate.sha256)}\n`);
    const [server, client] = await Promise.all([
      nextSession(listener),
      connect(`https://127.0.0.1:${listener.port}/playback/lv_1?tok=x`, { versions: ['moqt-18'] }),
    ]);
    expect(asked).toEqual(['/certificate.sha256']);
    expect([client.kind, client.protocol, server.path]).toEqual(['webtransport', 'moqt-18', '/playback/lv_1?tok=x']);
    client.close({ code: 0, reason: '' });
    await server.closed;
  });

  it('speaks raw QUIC to moqt: URLs', async () => {
    const { listener } = await relay(['moqt-18'], hex(certificate.sha256));
    const [server, client] = await Promise.all([
      listener.accept(),
      connect(`moqt://127.0.0.1:${listener.port}/x`, { versions: ['moqt-16', 'moqt-18'] }),
    ]);
    expect([client.kind, client.protocol, server?.protocol]).toEqual(['quic', 'moqt-18', 'moqt-18']);
    client.close({ code: 0, reason: '' });
  });

  it('refuses another certificate than the one told', async () => {
    const { listener } = await relay(['h3'], hex(new Uint8Array(32)));
    await expect(connect(`https://127.0.0.1:${listener.port}/`, { versions: [] })).rejects.toMatchObject({
      code: 'RELAY_UNREACHABLE',
    });
  });

  it('says what to do when nothing listens', async () => {
    const { listener } = await relay(['h3'], '');
    const { port } = listener;
    for (const close of toClose.splice(0).reverse()) await close();
    await expect(connect(`https://127.0.0.1:${port}/?tok=secret`, { versions: [] })).rejects.toMatchObject({
      code: 'RELAY_UNREACHABLE',
      message: expect.stringMatching(/^cannot reach 127.0.0.1:\d+ over QUIC: nothing listens there$/),
      hint: expect.stringContaining('streams serve'),
    });
  });

  it('takes a relay without HTTP whose authority Node was told of', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'streams-ca-'));
    toClose.push(() => rm(folder, { recursive: true, force: true }));
    await writeFile(join(folder, 'ca.pem'), certificate.certificatePem);
    const listener = await listenQuic({ host: '127.0.0.1', port: 0, alpn: ['moqt-18'], ...certificate });
    toClose.push(() => listener.close());
    const url = `moqt://127.0.0.1:${listener.port}/`;
    await expect(connect(url, { versions: ['moqt-18'] })).rejects.toMatchObject({ code: 'RELAY_UNREACHABLE' });
    vi.stubEnv('NODE_EXTRA_CA_CERTS', join(folder, 'ca.pem'));
    toClose.push(async () => vi.unstubAllEnvs());
    const client = await connect(url, { versions: ['moqt-18'] });
    expect(client.kind).toBe('quic');
    client.close({ code: 0, reason: '' });
  });

  it('is cancelled by its signal, before and during the handshake', async () => {
    const { listener } = await relay(['h3'], hex(certificate.sha256));
    const url = `https://127.0.0.1:${listener.port}/?tok=secret`;
    const wanted = { code: 'INTERRUPTED', message: expect.not.stringContaining('secret') };
    await expect(connect(url, { versions: [], signal: AbortSignal.abort() })).rejects.toMatchObject(wanted);
    const abort = new AbortController();
    const connecting = connect(url, { versions: [], signal: abort.signal });
    // The server takes the connection and never answers.
    const [base] = await Promise.all([
      listener.accept().then((transport) => {
        abort.abort();
        return transport;
      }),
      expect(connecting).rejects.toMatchObject(wanted),
    ]);
    expect((await base?.closed)?.by).toBe('peer');
  });

  it('gives up after its timeout', async () => {
    const { listener } = await relay(['h3'], hex(certificate.sha256));
    const url = `https://127.0.0.1:${listener.port}/`;
    await expect(connect(url, { versions: [], timeoutMs: 500 })).rejects.toMatchObject({ code: 'TIMEOUT' });
  });
});

describe('relay URLs', () => {
  it('are taken apart', () => {
    expect(parseRelayUrl('https://relay.example:4443/publish/lv_1?sk=a')).toEqual({
      scheme: 'https',
      host: 'relay.example',
      port: 4443,
      authority: 'relay.example:4443',
      path: '/publish/lv_1?sk=a',
      isLoopback: false,
    });
    expect(parseRelayUrl('moqt://[::1]')).toEqual({
      scheme: 'moqt',
      host: '::1',
      port: 443,
      authority: '[::1]',
      path: '/',
      isLoopback: true,
    });
    expect(parseRelayUrl('https://127.0.0.2/').isLoopback).toBe(true);
    expect(parseRelayUrl('https://localhost.example/').isLoopback).toBe(false);
  });

  it('are refused without their query', () => {
    for (const url of ['', 'localhost:4443', 'http://localhost/?tok=secret', 'moqt:///x']) {
      expect(() => parseRelayUrl(url)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    }
    expect(() => parseRelayUrl('ftp://x/?tok=secret')).toThrow(/^not a relay URL: ftp:\/\/x\/$/);
  });
});

import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addressGroup, TrustedProxies } from '../../../src/access/trusted-proxies.ts';
import { testCertificate } from '../../helpers/certificate.ts';
import { serviceToken, startTestControl, type TestControl } from '../helpers.ts';

const perAddress = 20;
let folder: string;
let ca: string;
let test: TestControl;
const seen: (string | undefined)[] = [];
const engine = createServer((request, response) => {
  seen.push(request.headers['x-forwarded-for'] as string | undefined);
  request.resume();
  request.on('end', () => response.end('engine'));
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'streams-bounds-'));
  const { certificatePem, privateKeyPem } = await testCertificate();
  ca = certificatePem;
  await writeFile(join(folder, 'cert.pem'), certificatePem);
  await writeFile(join(folder, 'key.pem'), privateKeyPem);
  test = await startTestControl({
    https: { port: 0, certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') },
    internalPort: 0,
    maxConnectionsPerAddress: perAddress,
    trustedProxies: ['127.0.0.3', '127.0.9.0/24'],
    bodyTimeoutMs: 300,
  });
  engine.listen(0, '127.0.0.1');
  await once(engine, 'listening');
  test.control.setEndpoints({ engineUrl: `http://127.0.0.1:${(engine.address() as AddressInfo).port}` });
});
afterAll(async () => {
  await test?.[Symbol.asyncDispose]();
  engine.closeAllConnections();
  engine.close();
  await rm(folder, { recursive: true, force: true });
});

/** A connection from one of the many addresses of loopback. */
async function open(from: string, port = test.control.port): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** The status of a request on a connection that is kept; undefined when it is closed instead. */
async function ask(socket: Socket, path = '/healthz', headers = ''): Promise<number | undefined> {
  let text = '';
  return new Promise((resolve) => {
    const done = (status?: number) => {
      socket.off('data', take).off('close', gone);
      resolve(status);
    };
    const take = (bytes: Buffer) => {
      text += bytes;
      const status = /^HTTP\/1\.1 (\d+)/.exec(text)?.[1];
      if (status !== undefined) done(Number(status));
    };
    const gone = () => done();
    socket.on('data', take).on('close', gone);
    if (socket.destroyed) return done();
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`);
  });
}

async function until(condition: () => boolean): Promise<void> {
  for (const deadline = performance.now() + 10_000; !condition(); ) {
    if (performance.now() > deadline) throw new Error('it did not come about');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('connections of one address', () => {
  it('are so many; the one that is idle the longest gives way to a new one, nobody else does', async () => {
    const other = await open('127.0.0.1');
    expect(await ask(other)).toBe(200);
    const held: Socket[] = [];
    for (let i = 0; i < perAddress * 2; i++) {
      held.push(await open('127.0.0.2'));
      expect(await ask(held[i]!)).toBe(200);
    }
    await until(() => held.filter((socket) => socket.destroyed).length === perAddress);
    expect(held.map((socket) => socket.destroyed)).toEqual(held.map((_, i) => i < perAddress));
    expect(await ask(other)).toBe(200);
    for (const socket of [other, ...held]) socket.destroy();
  });

  it('that are all busy leave a new one out, and others in', async () => {
    const busy = await Promise.all(Array.from({ length: perAddress }, () => open('127.0.0.2')));
    const before = seen.length;
    for (const socket of busy) socket.write('POST /ingest/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nbegins');
    await until(() => seen.length === before + perAddress);
    expect(await ask(await open('127.0.0.2'))).toBeUndefined();
    expect(await ask(await open('127.0.0.1'))).toBe(200);
    expect(busy.every((socket) => !socket.destroyed)).toBe(true);
    for (const socket of busy) socket.destroy();
  });

  it('are no matter for the processes of this machine, which have a listener of their own', async () => {
    const { internalPort } = test.control;
    const url = `http://127.0.0.1:${internalPort}`;
    const authorization = `Bearer ${serviceToken}`;
    expect((await fetch(`${url}/internal/installation`, { headers: { authorization } })).status).toBe(200);
    expect((await fetch(`${url}/internal/installation`)).status).toBe(404);
    expect((await fetch(`${url}/.well-known/jwks.json`)).status).toBe(200);
    for (const path of ['/v1/live-inputs', '/', '/hls/x', '/metrics', '/internal'])
      expect((await fetch(url + path, { headers: { authorization } })).status, path).toBe(404);
  });

  it('of a trusted proxy are as many as there are', async () => {
    const held = await Promise.all(Array.from({ length: perAddress + 5 }, () => open('127.0.0.3')));
    for (const socket of held) expect(await ask(socket)).toBe(200);
    for (const socket of held) socket.destroy();
  });
});

describe('the address of who asks', () => {
  it.each([
    ['127.0.0.1', '192.0.2.1', '127.0.0.1'],
    ['127.0.0.3', '192.0.2.1', '192.0.2.1'],
    ['127.0.0.3', '192.0.2.66, 192.0.2.1', '192.0.2.1'],
    ['127.0.0.3', '192.0.2.66, 2001:db8::1, 127.0.9.7', '2001:db8::1'],
    ['127.0.0.3', '192.0.2.1:4711', '192.0.2.1'],
    ['127.0.0.3', 'unknown, 127.0.9.7', '127.0.9.7'],
    ['127.0.0.3', '', '127.0.0.3'],
  ])('behind %s that says "%s" is %s', async (from, says, right) => {
    const socket = await open(from);
    await ask(socket, '/hls/x', `X-Forwarded-For: ${says}\r\nX-Streams-Forwarded: 00\r\n`);
    expect(seen.at(-1)).toBe(right);
    socket.destroy();
  });

  it('is counted by /64 in IPv6; a range that is none is refused', () => {
    expect(addressGroup('2001:db8:1:2:3:4:5:6')).toBe(addressGroup('2001:db8:1:2::1'));
    expect(addressGroup('2001:db8:1:2::1')).not.toBe(addressGroup('2001:db8:1:3::1'));
    expect(addressGroup('::1')).toBe(addressGroup('0:0:0:0::2'));
    expect(addressGroup('192.0.2.1')).toBe('192.0.2.1');
    for (const bad of ['', 'here', '10.0.0.0/33', '10.0.0.0/', '::/129'])
      expect(() => new TrustedProxies([bad]), bad).toThrow(/neither an IP address/);
  });
});

describe('a body that does not come', () => {
  const post = 'POST /v1/live-inputs HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{';

  it('ends its connection over HTTP/1.1, plain and with TLS', async () => {
    const secure = connectTls({
      port: Number(new URL(test.control.httpsUrl!).port),
      host: '127.0.0.1',
      servername: 'localhost',
      ca,
      ALPNProtocols: ['http/1.1'],
    });
    await once(secure, 'secureConnect');
    for (const socket of [await open('127.0.0.1'), secure]) {
      socket.on('error', () => {}).resume();
      socket.write(post);
      if (!socket.closed) await once(socket, 'close');
    }
  });

  it('ends its stream over HTTP/2, and no other', async () => {
    const session = connectHttp2(test.control.httpsUrl!.replace('localhost', '127.0.0.1'), {
      ca,
      servername: 'localhost',
    });
    const stream = session.request({
      ':method': 'POST',
      ':path': '/v1/live-inputs',
      authorization: `Bearer ${test.adminKey}`,
    });
    stream.on('error', () => {}).resume();
    stream.write('{');
    await new Promise((resolve) => stream.on('close', resolve));
    const next = session.request({ ':path': '/healthz' });
    const [answer] = await once(next, 'response');
    expect(answer[':status']).toBe(200);
    session.destroy();
  });

  it('may take its time where it goes to the engine', async () => {
    const secure = connectTls({
      port: Number(new URL(test.control.httpsUrl!).port),
      host: '127.0.0.1',
      servername: 'localhost',
      ca,
      ALPNProtocols: ['http/1.1'],
    });
    await once(secure, 'secureConnect');
    let text = '';
    secure.on('data', (bytes) => {
      text += bytes;
    });
    secure.write('POST /ingest/x HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na');
    // Longer than a body may take that is not passed on.
    const begun = performance.now();
    await until(() => performance.now() - begun > 700);
    secure.write('b');
    await until(() => text.includes('engine'));
    secure.destroy();
  });
});

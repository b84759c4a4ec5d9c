import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type ClientHttp2Session, connect } from 'node:http2';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testCertificate } from '../helpers/certificate.ts';
import { startTestControl, type TestControl } from './helpers.ts';

let folder: string;
let files: { certFile: string; keyFile: string };
let ca: string;
let test: TestControl;
let session: ClientHttp2Session;
const engine = createServer((asked, answer) => {
  let body = '';
  asked.on('data', (bytes) => {
    body += bytes;
  });
  asked.on('end', () => {
    answer.writeHead(200, { 'content-type': 'text/plain', connection: 'keep-alive', 'x-asked': asked.headers.host });
    answer.end(`${asked.method} ${asked.url} ${body}`);
  });
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'streams-tls-'));
  files = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') };
  const { certificatePem, privateKeyPem } = await testCertificate();
  ca = certificatePem;
  await writeFile(files.certFile, certificatePem);
  await writeFile(files.keyFile, privateKeyPem);
  test = await startTestControl({ https: { port: 0, ...files } });
  engine.listen(0, '127.0.0.1');
  await once(engine, 'listening');
  test.control.setEndpoints({ engineUrl: `http://127.0.0.1:${(engine.address() as AddressInfo).port}` });
  session = connect(test.control.httpsUrl!.replace('localhost', '127.0.0.1'), { ca, servername: 'localhost' });
  await once(session, 'connect');
});
afterAll(async () => {
  session?.destroy();
  await test?.[Symbol.asyncDispose]();
  engine.close();
  engine.closeAllConnections();
  await rm(folder, { recursive: true, force: true });
});

async function ask(headers: Record<string, string>, body?: string) {
  const stream = session.request(headers);
  stream.end(body);
  const [answered] = await once(stream, 'response');
  let text = '';
  for await (const chunk of stream) text += chunk;
  return { status: answered[':status'] as number, headers: answered, text };
}

describe('the control plane over TLS', () => {
  it('speaks HTTP/2, many requests at once, and is what URLs name', async () => {
    expect(session.alpnProtocol).toBe('h2');
    expect(test.control.httpsUrl).toMatch(/^https:\/\/localhost:\d+$/);
    const asked = await Promise.all(Array.from({ length: 20 }, () => ask({ ':path': '/healthz' })));
    for (const { status, text } of asked) expect([status, text]).toEqual([200, '{"ok":true}']);
    const { body } = await test.call('POST', '/v1/live-inputs', { body: { name: 'a' } });
    const minted = await test.call('POST', `/v1/live-inputs/${body.id}/playback-tokens`, { body: {} });
    expect(minted.body.hlsUrl).toMatch(new RegExp(`^${test.control.httpsUrl}/hls/`));
    expect((await ask({ ':path': '/v1/live-inputs', authorization: `Bearer ${test.adminKey}` })).text).toContain(
      body.id,
    );
  });

  it('passes on what the engine answers, with the bodies of both', async () => {
    const posted = await ask({ ':path': '/ingest/x?a=b', ':method': 'POST' }, 'media');
    expect(posted).toMatchObject({ status: 200, text: 'POST /ingest/x?a=b media' });
    expect(posted.headers['x-asked']).toBe(new URL(test.control.httpsUrl!).host);
    expect(posted.headers.connection).toBeUndefined();
    expect((await ask({ ':path': '/hls/y/index.m3u8' })).text).toBe('GET /hls/y/index.m3u8 ');
  });

  it('speaks HTTP/1.1 to those who know no better', async () => {
    const asked = request(`${test.control.httpsUrl}/hls/z`, { ca, agent: false }).end();
    const [answer] = await once(asked, 'response');
    expect([answer.statusCode, answer.httpVersion]).toEqual([200, '1.1']);
    answer.resume();
    await once(answer, 'end');
  });
});

it('says which file is no good', async () => {
  const bad = join(folder, 'bad.pem');
  await writeFile(bad, 'nothing');
  const start = (https: { certFile: string; keyFile: string }) => startTestControl({ https: { port: 0, ...https } });
  await expect(start({ ...files, certFile: join(folder, 'none.pem') })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
  });
  await expect(start({ ...files, keyFile: bad })).rejects.toThrow(/is not PEM/);
  const other = join(folder, 'other.pem');
  await writeFile(other, (await testCertificate()).privateKeyPem);
  await expect(start({ ...files, keyFile: other })).rejects.toThrow(/is not the key of/);
});

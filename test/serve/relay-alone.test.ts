import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import * as moq from '@moq/token';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fromHex } from '../../src/core/bytes.ts';
import type { Relay } from '../../src/relay/start-relay.ts';
import { startRelayAlone } from '../../src/serve/relay-alone.ts';
import { relaySettings } from '../../src/serve/relay-settings/relay-settings.ts';
import { establish } from '../../src/session/establish.ts';
import type { Publication, Session, SessionHandlers } from '../../src/session/types.ts';
import { connect } from '../../src/transport/connect.ts';
import type { Transport } from '../../src/transport/transport.ts';
import { capturingLogger } from '../control/helpers.ts';
import { testCertificate } from '../helpers/certificate.ts';
import { nextGroup, object } from '../relay/harness.ts';
import { until } from './until.ts';

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));
let folder: string;
let relay: Relay;
let key: moq.Key;
let log: ReturnType<typeof capturingLogger>;
const opened: Transport[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'streams-alone-'));
  log = capturingLogger();
  key = await moq.generate('HS256', 'root');
  await writeFile(join(folder, 'root.jwk'), JSON.stringify(key));
});
afterEach(async () => {
  for (const transport of opened.splice(0)) transport.close({ code: 0, reason: '' });
  await relay.close();
  await rm(folder, { recursive: true });
});

async function start(more = ''): Promise<void> {
  const text = `[server]\nlisten = "127.0.0.1:0"\n[auth]\nkey = "${folder}/root.jwk"\npublic = "anon"\n${more}`;
  relay = await startRelayAlone(relaySettings({ text, name: 'relay.toml' }), { dataDir: folder, logger: log });
}

async function session(path: string, handlers: SessionHandlers = {}, scheme = 'https'): Promise<Session> {
  const transport = await connect(`${scheme}://127.0.0.1:${relay.port}${path}`, {
    versions: ['moqt-18'],
    certificateHashes: [fromHex(relay.certificateSha256)],
  });
  opened.push(transport);
  return establish(transport, { role: 'client', handlers });
}

async function publisher(path: string, namespace: string[]): Promise<Publication[]> {
  const publications: Publication[] = [];
  const own = await session(path, { subscribe: (request) => void publications.push(request.accept({ alias: 1 })) });
  await own.publishNamespace(namespace);
  return publications;
}

function send(publication: Publication, groupId: number, texts: string[]): void {
  const writer = publication.openSubgroup({ groupId, subgroupId: 0, priority: 1, endOfGroup: true, firstObject: true });
  for (const [objectId, text] of texts.entries()) {
    writer.write({ objectId, status: 'normal', properties: undefined, payload: new TextEncoder().encode(text) });
  }
  writer.finish();
}

const http = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${relay.httpPort}${path}`);
const inAnHour = (): number => Math.floor(Date.now() / 1000) + 3600;

describe('a relay alone', () => {
  it('carries a broadcast between sessions with tokens of @moq/token, and refuses the others', async () => {
    await start();
    const writes = await moq.sign(key, { root: 'demo', put: 'room', exp: inAnHour() });
    const reads = await moq.sign(key, { root: 'demo', get: '', exp: inAnHour() });
    const publications = await publisher(`/demo?jwt=${writes}`, ['room', 'cam']);
    const viewer = await session(`/demo/room?jwt=${reads}`, {}, 'ws');
    const subscribed = viewer.subscribe({ namespace: ['cam'], name: 'video' });
    await until(() => publications.length > 0);
    const subscription = await subscribed;
    const writer = publications[0]!.openSubgroup({ groupId: 3, subgroupId: 0, priority: 1, endOfGroup: true });
    writer.write(object(3, 0));
    writer.finish();
    expect(await nextGroup(subscription)).toMatchObject({ group: 3, ids: [0] });

    await expect(viewer.publishNamespace(['cam2'])).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    const reader = await session(`/demo?jwt=${writes}`);
    await expect(reader.subscribe({ namespace: ['room', 'cam'], name: 'video' })).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
    });
    for (const path of ['/demo', `/other?jwt=${reads}`, '/demo?jwt=rubbish']) {
      await expect(session(path)).rejects.toMatchObject({ message: expect.stringContaining('auth_failed') });
    }
    expect(JSON.stringify(log.lines)).not.toContain(reads.split('.')[2]);
  });

  it('ends a session when its token does', async () => {
    await start();
    const token = await moq.sign(key, { root: '', get: '', exp: Math.floor(Date.now() / 1000) + 2 });
    const viewer = await session(`/?jwt=${token}`);
    expect(await viewer.closed).toMatchObject({ by: 'peer', reason: 'auth_failed: the token has expired' });
  });

  it('lists what is announced, to those who may have it', async () => {
    await start();
    await publisher('/anon', ['room', 'cam']);
    await publisher('/anon/room', ['mic']);
    await publisher('/anon', ['roomy']);
    const writes = await moq.sign(key, { root: 'demo', put: '' });
    await publisher(`/demo?jwt=${writes}`, ['secret']);
    expect(await (await http('/announced')).text()).toBe('anon/room/cam\nanon/room/mic\nanon/roomy\n');
    expect(await (await http('/announced/anon/room')).text()).toBe('cam\nmic\n');
    const refused = await http('/announced/demo');
    expect([refused.status, await refused.text()]).toEqual([401, 'a token is needed here (?jwt=)\n']);
    const reads = await moq.sign(key, { root: 'demo', get: '' });
    expect(await (await http(`/announced/demo?jwt=${reads}`)).text()).toBe('secret\n');
    expect((await http('/announced/%')).status).toBe(404);
  });

  it('hands out the newest group, and one by its number, of a track', async () => {
    await start();
    const publications = await publisher('/anon', ['cam']);
    const first = http('/fetch/anon/cam/video%2F720p');
    await until(() => publications.length > 0);
    send(publications[0]!, 7, ['moof', 'mdat']);
    const response = await first;
    expect(response.headers.get('content-type')).toBe('application/octet-stream');
    expect(await response.text()).toBe('moofmdat');
    send(publications[0]!, 8, ['newer']);
    await until(async () => (await (await http('/fetch/anon/cam/video%2F720p')).text()) === 'newer');
    expect(await (await http('/fetch/anon/cam/video%2F720p?group=7')).text()).toBe('moofmdat');
    expect(await (await http('/fetch/anon/cam/video%2F720p?group=8')).text()).toBe('newer');
    const statuses = await Promise.all(
      [
        '/fetch/anon/none/video',
        '/fetch/anon',
        '/fetch',
        '/fetch/demo/cam/video',
        '/fetch/anon/cam/video%2F720p?group=x',
        '/fetch/anon/%/video',
      ].map(async (path) => (await http(path)).status),
    );
    expect(statuses).toEqual([404, 400, 400, 401, 400, 400]);
    expect(publications.length).toBe(1);
    expect(
      (await fetch(`http://127.0.0.1:${relay.httpPort}/fetch/anon/cam/video%2F720p`, { method: 'HEAD' })).status,
    ).toBe(200);
    await until(() => relay.stats().sessions === 1);
  });

  it('hands out a group while it is being written', async () => {
    await start();
    const publications = await publisher('/anon', ['cam']);
    const answer = http('/fetch/anon/cam/video');
    await until(() => publications.length > 0);
    const writer = publications[0]!.openSubgroup({ groupId: 1, subgroupId: 0, priority: 1, endOfGroup: true });
    const write = (objectId: number, text: string) =>
      writer.write({ objectId, status: 'normal', properties: undefined, payload: new TextEncoder().encode(text) });
    write(0, 'first');
    const body = (await answer).body!.getReader();
    expect(new TextDecoder().decode((await body.read()).value)).toBe('first');
    write(1, 'second');
    expect(new TextDecoder().decode((await body.read()).value)).toBe('second');
    writer.finish();
    expect((await body.read()).done).toBe(true);
  });

  it('that listens on all addresses is reached by IPv4 and IPv6', async ({ skip }) => {
    skip(!hasIpv6, 'this machine has no IPv6');
    const settings = relaySettings(undefined, { listen: '[::]:0', authPublic: [''] });
    relay = await startRelayAlone(settings, { dataDir: folder, logger: log });
    for (const host of ['127.0.0.1', '[::1]']) {
      const transport = await connect(`https://${host}:${relay.port}/`, {
        versions: ['moqt-18'],
        certificateHashes: [fromHex(relay.certificateSha256)],
      });
      opened.push(transport);
      await establish(transport, { role: 'client' });
      expect((await fetch(`http://${host}:${relay.httpPort}/health`)).status).toBe(200);
    }
  });

  it('serves the same with TLS, and keeps what nobody may read apart', async () => {
    const certificate = await testCertificate();
    await writeFile(join(folder, 'cert.pem'), certificate.certificatePem);
    await writeFile(join(folder, 'key.pem'), certificate.privateKeyPem);
    await start(
      `[web.https]\nlisten = "127.0.0.1:0"\ncert = "${folder}/cert.pem"\nkey = "${folder}/key.pem"\n[internal]\nlisten = "127.0.0.1:0"`,
    );
    expect(relay.httpPort).toBeUndefined();
    const secure = (path: string) =>
      new Promise<string>((resolve, reject) => {
        const options = { host: '127.0.0.1', port: relay.httpsPort, path, rejectUnauthorized: false };
        httpsRequest(options, (response) => {
          let text = `${response.statusCode} `;
          response.on('data', (chunk) => {
            text += chunk;
          });
          response.on('end', () => resolve(text));
        })
          .on('error', reject)
          .end();
      });
    await publisher('/anon', ['cam']);
    expect(await secure('/announced/anon')).toBe('200 cam\n');
    expect(await secure('/certificate.sha256')).toBe(`200 ${relay.certificateSha256}`);
    expect(await secure('/metrics')).toBe('404 not found\n');
    const inside = (path: string) => fetch(`http://127.0.0.1:${relay.internalPort}${path}`);
    expect(await (await inside('/metrics')).text()).toContain('streams_relay_namespaces 1');
    expect((await inside('/announced/anon')).status).toBe(404);
  });
});

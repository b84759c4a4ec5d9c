import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runStreams } from '../helpers/streams-cli.ts';
import { apiServer } from './api-server.ts';
import { commandLine } from './command-line.ts';

let folder: string;
const cert = () => join(folder, 'cert.pem');
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'streams-unreachable-'));
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const files = ['-keyout', join(folder, 'key.pem'), '-out', cert()];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  await promisify(execFile)('openssl', ['req', '-x509', ...curve, ...files, ...subject]);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

type Listening = AsyncDisposable & { port: number };

async function listening(server: Server & { closeAllConnections(): void }): Promise<Listening> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
const answer = (_request: http.IncomingMessage, response: http.ServerResponse) => response.end('{"items":[]}');
const overTls = async () =>
  listening(https.createServer({ cert: await readFile(cert()), key: await readFile(join(folder, 'key.pem')) }, answer));
const plain = () => listening(http.createServer(answer));

const list = (apiUrl: string, more: string[] = []) =>
  commandLine(['inputs', 'list', '--api-url', apiUrl, '--api-key', 'ak_x', ...more]);

describe('a connection that fails is explained', () => {
  it('a certificate that nobody vouches for', async () => {
    await using server = await overTls();
    const url = `https://localhost:${server.port}`;
    const { code, stderr } = await list(url);
    expect(code).toBe(4);
    expect(stderr).toContain(`can't reach the API at ${url}: its certificate is signed by nobody`);
    expect(stderr).toMatch(/Try: --ca-file ca\.pem, or NODE_EXTRA_CA_CERTS=ca\.pem/);
    const doctor = await commandLine(['doctor', '--api-url', url, '--json']);
    expect(doctor.stdout).toContain('its certificate is signed by nobody');
    const file = join(folder, 'film.mp4');
    await writeFile(file, 'x');
    const upload = await commandLine(['assets', 'upload', file, '--api-url', url, '--api-key', 'ak_x']);
    expect([upload.code, upload.stderr]).toEqual([4, expect.stringContaining('its certificate is signed by nobody')]);
  });

  it('--ca-file and NODE_EXTRA_CA_CERTS trust it, for every command', async () => {
    await using server = await overTls();
    const args = ['inputs', 'list', '--api-url', `https://localhost:${server.port}`, '--json'];
    const env = { STREAMS_API_KEY: 'ak_x' };
    // Processes of their own: what one trusts is trusted until it ends.
    const run = async (more: string[], moreEnv = {}) => runStreams([...args, ...more], { env: { ...env, ...moreEnv } });
    expect((await run(['--ca-file', cert()])).code).toBe(0);
    expect((await run([], { NODE_EXTRA_CA_CERTS: cert() })).code).toBe(0);
    expect((await run([])).code).toBe(4);
    // The name still counts.
    const other = await runStreams(
      ['inputs', 'list', '--api-url', `https://127.0.0.1:${server.port}`, '--ca-file', cert()],
      { env },
    );
    expect([other.code, other.stderr]).toEqual([
      4,
      expect.stringContaining('its certificate is not one for 127.0.0.1'),
    ]);
  }, 60_000);

  it('a --ca-file that is none', async () => {
    expect(await list('http://127.0.0.1:1', ['--ca-file', join(folder, 'key.pem')])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('holds no certificates in PEM'),
    });
    expect((await list('http://127.0.0.1:1', ['--ca-file', join(folder, 'none.pem')])).code).toBe(2);
  });

  it('TLS on a plain port, and plain HTTP on one of TLS', async () => {
    await using http = await plain();
    const tls = await list(`https://127.0.0.1:${http.port}`);
    expect(tls.stderr).toContain('it does not speak TLS there');
    expect(tls.stderr).toContain(`Try: --api-url http://127.0.0.1:${http.port}`);
    await using secure = await overTls();
    const bare = await list(`http://127.0.0.1:${secure.port}`);
    expect(bare.stderr).toContain(`--api-url https://127.0.0.1:${secure.port}`);
  });

  it('nothing there, no such name, a port that is not for HTTP', async () => {
    const gone = await plain();
    await gone[Symbol.asyncDispose]();
    expect((await list(`http://127.0.0.1:${gone.port}`)).stderr).toMatch(
      /nothing listens there.*\nTry: streams serve\n/,
    );
    expect((await list('http://no-such-host.invalid')).stderr).toContain('the name no-such-host.invalid is not found');
    expect((await list('http://127.0.0.1:1')).stderr).toContain('this port is not for HTTP');
  });

  it.each([
    'http://me:hunter2@127.0.0.1:8080',
    'ftp://me:hunter2@host',
    'http://host/?token=hunter2',
    'me:hunter2@host',
  ])('no secret of %s is repeated', async (url) => {
    for (const argv of [['inputs', 'list'], ['doctor'], ['assets', 'upload', cert()], ['config', 'show']]) {
      const { code, stdout, stderr } = await commandLine([...argv, '--api-url', url]);
      expect(stdout + stderr).not.toContain('hunter2');
      if (argv[0] !== 'config') expect(code).toBe(2);
    }
  });
});

describe('what answers is checked', () => {
  const portal = (status: number, body: unknown) => apiServer(() => ({ status, body }));
  it.each<[string[], unknown]>([
    [['inputs', 'create', '--name', 'x'], {}],
    [['inputs', 'create', '--name', 'x'], ''],
    [['inputs', 'create', '--name', 'x'], '<html>hotel</html>'],
    [['inputs', 'create', '--name', 'x'], []],
    [['inputs', 'list'], {}],
    [['inputs', 'get', 'lv_x'], { hello: 'world' }],
    [['playback', 'mint', 'lv_x'], {}],
    [['keys', 'create'], {}],
    [['api-keys', 'create', '--name', 'x'], { id: 'ak_1' }],
    [['webhooks', 'create', 'https://x.example'], {}],
    [['assets', 'get', 'as_x'], {}],
  ])('%j answered %j', async (argv, body) => {
    await using api = await portal(200, body);
    const { code, stdout, stderr } = await commandLine([...argv, '--api-url', api.url, '--api-key', 'ak_x', '--json']);
    expect([code, stdout]).toEqual([4, '']);
    expect(JSON.parse(stderr).error).toMatchObject({
      code: 'API_UNREACHABLE',
      message: expect.stringContaining('is not a streams API'),
    });
  });
});

describe('a redirect', () => {
  const redirecting = (status: number, to: (path: string) => string) =>
    listening(
      http.createServer((request, response) => {
        if (request.url!.startsWith('/there')) return answer(request, response);
        response.writeHead(status, { location: to(request.url!) }).end('{"input":{}}');
      }),
    );
  it.each([301, 302, 303, 307, 308])('%i of a create is named and refused', async (status) => {
    await using server = await redirecting(status, (path) => `https://new.example${path}?sk=secret`);
    const url = `http://127.0.0.1:${server.port}`;
    const { code, stdout, stderr } = await commandLine(['inputs', 'create', '--name', 'x', '--api-url', url]);
    expect([code, stdout]).toEqual([4, '']);
    expect(stderr).toContain(`${url} redirects to https://new.example/v1/live-inputs`);
    expect(stderr).toContain('Try: --api-url https://new.example\n');
    expect(stderr).not.toContain('secret');
  });
  it('of a read is followed on the same origin, and nowhere else', async () => {
    await using same = await redirecting(302, () => '/there');
    expect((await list(`http://127.0.0.1:${same.port}`)).code).toBe(0);
    await using loop = await redirecting(302, (path) => path);
    expect((await list(`http://127.0.0.1:${loop.port}`)).code).toBe(4);
    await using other = await redirecting(302, () => `http://127.0.0.1:${same.port}/there`);
    expect((await list(`http://127.0.0.1:${other.port}`)).code).toBe(4);
    const doctor = await commandLine(['doctor', '--api-url', `http://127.0.0.1:${other.port}`]);
    expect(doctor.stdout).toContain('redirects to');
  });
});

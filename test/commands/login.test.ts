import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { apiServer } from './api-server.ts';
import { commandLine } from './command-line.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'streams-login-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const whoami = { orgId: 'org_local', apiKeyId: 'ak_1', name: 'mine', scopes: ['streams:read'] };
const server = () =>
  apiServer(({ authorization, path }) =>
    path === '/v1/whoami' && authorization === 'Bearer ak_live_good'
      ? { status: 200, body: whoami }
      : { status: 401, body: { error: { code: 'UNAUTHORIZED', message: 'no' } } },
  );

describe('login and config', () => {
  it('keeps a key from stdin in a private file, checks it first, and never shows it', async () => {
    await using api = await server();
    const env = { STREAMS_CONFIG_DIR: folder };
    const argv = ['login', '--api-url', api.url, '--profile', 'prod'];
    const wrong = await commandLine(argv, { env, stdin: 'ak_live_bad\n' });
    expect(wrong.code).toBe(3);
    expect((await commandLine(['config', 'list', '--json'], { env })).lines()[0]).toMatchObject({ profiles: [] });

    const right = await commandLine(argv, { env, stdin: 'ak_live_good\n' });
    expect(right.code, right.stderr).toBe(0);
    expect(right.stdout + right.stderr).not.toContain('ak_live_good');
    const file = join(folder, 'profiles.json');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({
      current: 'prod',
      profiles: { prod: { apiUrl: api.url, apiKey: 'ak_live_good' } },
    });
    const show = await commandLine(['config', 'show', '--json'], { env });
    expect(show.lines()[0]).toEqual({
      version: 1,
      type: 'config',
      apiUrl: api.url,
      apiUrlFrom: 'profile prod',
      hasKey: true,
      keyFrom: 'profile prod',
      profile: 'prod',
    });
    expect((await commandLine(['config', 'path'], { env })).stdout).toBe(`${file}\n`);
  });

  it('asks a person without showing what is typed, and names the profile after the server', async () => {
    await using api = await server();
    const env = { STREAMS_CONFIG_DIR: folder };
    const asked = await commandLine(['login', '--api-url', api.url], { env, tty: true, answers: ['ak_live_good'] });
    expect(asked.stdout).toMatch(/^Profile +127\.0\.0\.1$/m);
    expect((await commandLine(['login', '--api-url', api.url], { env, tty: true })).code).toBe(130);
  });

  it('takes no key from the command line, and needs one', async () => {
    const flag = await commandLine(['login', '--api-key', 'ak_live_good']);
    expect(flag.code).toBe(2);
    expect(flag.stderr).not.toContain('ak_live_good');
    const none = await commandLine(['login'], { stdin: '' });
    expect(none.stderr).toContain('Try: streams login < key.txt');
  });

  it('switches profiles', async () => {
    await using api = await server();
    const env = { STREAMS_CONFIG_DIR: folder };
    for (const profile of ['a', 'b'])
      await commandLine(['login', '--api-url', api.url, '--profile', profile], { env, stdin: 'ak_live_good' });
    await commandLine(['config', 'use', 'a'], { env });
    expect((await commandLine(['config', 'list'], { env })).stdout).toMatch(/^\* +a +http/m);
    const unknown = await commandLine(['config', 'use', 'c'], { env });
    expect(unknown).toMatchObject({ code: 5 });
    expect(unknown.stderr).toContain('Try: one of a, b');
  });
});

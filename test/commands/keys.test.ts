import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Serve, startServe } from '../helpers/streams-cli.ts';
import { apiServer } from './api-server.ts';
import { commandLine } from './command-line.ts';

let folder: string;
let serve: Serve;
let env: NodeJS.ProcessEnv;
const modeOf = async (path: string) => (await stat(path)).mode & 0o777;
const json = async (...argv: string[]) => {
  const result = await commandLine([...argv, '--json'], { env });
  expect(result.stderr, argv.join(' ')).toBe('');
  return result.lines()[0]!;
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'streams-keys-'));
  serve = await startServe();
  env = { STREAMS_API_URL: serve.urls.http, STREAMS_API_KEY: serve.apiKey };
});
afterAll(async () => {
  await serve.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('keys', () => {
  it('creates, lists, rotates, deactivates and deletes against a real server', async () => {
    const created = (await json('keys', 'create', '--alg', 'RS256')).key as { id: string; alg: string };
    expect(created).toMatchObject({ id: expect.stringMatching(/^rk_/), alg: 'RS256' });
    const rotated = (await json('keys', 'rotate', created.id, '--overlap', '2d')).key as { id: string };
    const { keys } = await json('keys', 'list');
    expect(keys).toContainEqual(expect.objectContaining({ id: created.id, endsAt: expect.any(String) }));
    expect(await json('keys', 'deactivate', rotated.id, '--yes')).toMatchObject({ key: { status: 'inactive' } });
    expect(await json('keys', 'delete', rotated.id, '--yes')).toEqual({ version: 1, type: 'deleted', id: rotated.id });
    const human = await commandLine(['keys', 'list'], { env });
    expect(human.stdout).toMatch(new RegExp(`^${created.id} +RS256 +active`, 'm'));
  });

  it('imports a public key, and never takes a private one', async () => {
    const { generateKeyPairSync } = await import('node:crypto');
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const file = join(folder, 'key.pem');
    await writeFile(file, publicKey.export({ type: 'spki', format: 'pem' }));
    expect(await json('keys', 'import', file)).toMatchObject({ key: { imported: true } });
    await writeFile(file, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const refused = await commandLine(['keys', 'import', file], { env });
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain('-pubout | streams keys import -');
  });
});

describe('api-keys', () => {
  it('creates a key that works until it is revoked', async () => {
    const created = await json('api-keys', 'create', '--name', 'ci', '--scope', 'streams:read', '--expires', '90d');
    const { key, apiKey } = created as unknown as { key: { id: string; scopes: string[] }; apiKey: string };
    expect(key).toMatchObject({ scopes: ['streams:read'], expiresAt: expect.any(String) });
    const as = { env: { ...env, STREAMS_API_KEY: apiKey } };
    expect((await commandLine(['inputs', 'list'], as)).code).toBe(0);
    expect((await commandLine(['inputs', 'create', '--name', 'x'], as)).code).toBe(3);
    expect(JSON.stringify(await json('api-keys', 'list'))).not.toContain(apiKey);
    await json('api-keys', 'revoke', key.id, '--yes');
    expect((await commandLine(['inputs', 'list'], as)).code).toBe(3);
  });

  it('keeps the secret in files that only the owner reads, and off the screen', async () => {
    const outputFile = join(folder, 'api-key');
    const envFile = join(folder, '.env');
    await writeFile(envFile, '# mine\nOTHER=1\nSTREAMS_API_KEY=old\n', { mode: 0o644 });
    const result = await commandLine(
      ['api-keys', 'create', '--name', 'ci', '--output-file', outputFile, '--env-file', envFile],
      { env },
    );
    expect(result.code, result.stderr).toBe(0);
    const key = (await readFile(outputFile, 'utf8')).trim();
    expect(key).toMatch(/^ak_live_/);
    expect(await readFile(envFile, 'utf8')).toBe(`# mine\nOTHER=1\nSTREAMS_API_KEY=${key}\n`);
    expect(await modeOf(outputFile)).toBe(0o600);
    expect(await modeOf(envFile)).toBe(0o600);
    expect(result.stdout + result.stderr).not.toContain(key);
  });

  it('makes no key when there is nowhere to keep it', async () => {
    await using api = await apiServer(() => ({ status: 500, body: {} }));
    const argv = ['api-keys', 'create', '--name', 'ci', '--output-file', join(folder, 'none', 'key')];
    const result = await commandLine(argv, { env: { STREAMS_API_URL: api.url, STREAMS_API_KEY: 'ak_live_x' } });
    expect(result.stderr).toContain('cannot write');
    expect(api.seen).toEqual([]);
  });
});

describe('inputs and playback', () => {
  it('updates, disables and enables an input, and keeps its key in an environment file', async () => {
    const envFile = join(folder, 'input.env');
    const created = await json('inputs', 'create', '--name', 'show', '--env-file', envFile);
    const { id } = created.input as { id: string };
    expect(created).not.toHaveProperty('streamKey');
    expect(await readFile(envFile, 'utf8')).toMatch(
      new RegExp(`^STREAMS_INPUT_ID=${id}\nSTREAMS_STREAM_KEY=sk_live_\\S+\n`),
    );
    expect(await json('inputs', 'update', id, '--name', 'late show', '--external-id', 'x1')).toMatchObject({
      input: { name: 'late show', externalId: 'x1' },
    });
    expect((await json('inputs', 'update', id, '--clear-external-id')).input).not.toHaveProperty('externalId');
    expect((await commandLine(['inputs', 'update', id], { env })).code).toBe(2);
    expect(await json('inputs', 'disable', id)).toMatchObject({ input: { enabled: false } });
    expect((await commandLine(['inputs', 'get', id], { env })).stdout).toMatch(/Status +idle, disabled/);
    expect(await json('inputs', 'enable', id)).toMatchObject({ input: { enabled: true } });
    expect(await json('inputs', 'status', id)).toMatchObject({ type: 'input-status', status: 'idle', stats: null });
    const rotated = await commandLine(['inputs', 'rotate-key', id, '--overlap', '1h'], { env });
    expect(rotated.stderr).toContain('still works for 3600 s');
  });

  it('mints bound tokens, verifies and revokes them', async () => {
    const { id } = (await json('inputs', 'create', '--name', 'bound')).input as { id: string };
    const rules = ['--viewer', 'anna', '--once', '--origin', 'https://example.com', '--address', '192.0.2.0/24'];
    const { token } = await json('playback', 'mint', id, '--rendition', 'video', ...rules);
    const verified = await json('playback', 'verify', String(token));
    expect(verified).toMatchObject({ valid: true, payload: { sub: 'anna' } });
    expect(verified.allows).toEqual([
      expect.stringMatching(new RegExp(`^watch stream/.*/${id}$`)),
      'only the tracks video',
      'only from the addresses 192.0.2.0/24',
      'only in pages of https://example.com',
      'one time only',
    ]);
    expect(await json('playback', 'revoke', '--viewer', 'anna', '--yes')).toMatchObject({
      revocation: { value: 'anna' },
    });
    expect((await json('playback', 'revocations')).revocations).toContainEqual(
      expect.objectContaining({ kind: 'viewer' }),
    );
    expect((await commandLine(['playback', 'revoke', '--yes'], { env })).code).toBe(2);
    expect((await commandLine(['playback', 'revoke', '--viewer', 'a', '--input', 'b', '--yes'], { env })).code).toBe(2);
  });

  it('asks before what cannot be taken back', async () => {
    for (const argv of [
      ['keys', 'deactivate', 'rk_1'],
      ['keys', 'delete', 'rk_1'],
      ['api-keys', 'revoke', 'ak_1'],
      ['playback', 'revoke', '--viewer', 'bob'],
    ]) {
      const alone = await commandLine(argv, { env });
      expect(alone.code).toBe(2);
      expect(alone.stderr).toContain(`Try: streams ${argv.join(' ')} --yes`);
      const no = await commandLine(argv, { env, tty: true, answers: [false] });
      expect(no.code).toBe(130);
    }
  });
});

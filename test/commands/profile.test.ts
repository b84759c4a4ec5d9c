import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resolveConnection } from '../../commands/profile.ts';
import { configDir, readProfiles, writeProfile } from '../../src/serve/profiles.ts';

let folder: string;
let env: NodeJS.ProcessEnv;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'streams-profiles-'));
  env = { STREAMS_CONFIG_DIR: join(folder, 'config') };
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const json = false;

describe('the profile file', () => {
  it('is private, and a profile written twice keeps the others', async () => {
    await writeProfile(env, 'local', { apiUrl: 'http://127.0.0.1:1', apiKey: 'ak_1' });
    await writeProfile(env, 'far', { apiUrl: 'https://far.example' });
    await writeProfile(env, 'local', { apiUrl: 'http://127.0.0.1:2', apiKey: 'ak_2' });
    const file = join(folder, 'config', 'profiles.json');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'config'))).mode & 0o777).toBe(0o700);
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({
      current: 'local',
      profiles: { local: { apiUrl: 'http://127.0.0.1:2', apiKey: 'ak_2' }, far: { apiUrl: 'https://far.example' } },
    });
  });

  it('loses no entry where many write at once, also after one that died with the lock', async () => {
    await mkdir(join(folder, 'config'));
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    await writeFile(join(folder, 'config', 'profiles.json.lock'), `${dead} ${hostname()}\n`);
    const names = Array.from({ length: 20 }, (_, index) => `p${index}`);
    await Promise.all(names.map((name) => writeProfile(env, name, { apiUrl: 'http://127.0.0.1:1' })));
    expect(Object.keys((await readProfiles(env)).profiles).sort()).toEqual([...names].sort());
    expect(await readdir(join(folder, 'config'))).toEqual(['profiles.json']);
  });

  it('is refused in words where it cannot be written', async () => {
    await writeFile(join(folder, 'config'), 'a file where the folder is to be');
    const failed = writeProfile(env, 'local', { apiUrl: 'http://127.0.0.1:1' });
    await expect(failed).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      hint: expect.stringContaining('STREAMS_CONFIG_DIR'),
    });
  });

  it('stands below STREAMS_CONFIG_DIR, XDG_CONFIG_HOME or ~/.config', () => {
    expect(configDir({ STREAMS_CONFIG_DIR: '/c', XDG_CONFIG_HOME: '/x' })).toBe('/c');
    expect(configDir({ XDG_CONFIG_HOME: '/x' })).toBe('/x/streams');
    expect(configDir({})).toMatch(/\/\.config\/streams$/);
  });

  it('is refused in words when it is damaged', async () => {
    await writeProfile(env, 'local', { apiUrl: 'http://127.0.0.1:1' });
    const file = join(folder, 'config', 'profiles.json');
    for (const text of ['{', '{}', '{"profiles":{"a":{}}}', '[]']) {
      await writeFile(file, text);
      await expect(readProfiles(env)).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        hint: expect.stringContaining(`mv ${file} `),
      });
    }
  });
});

describe('which control plane', () => {
  it('is the default without anything', async () => {
    expect(await resolveConnection({ json }, env)).toEqual({ apiUrl: 'http://127.0.0.1:8080', apiKey: undefined });
  });

  it('follows flag > environment > profile', async () => {
    await writeProfile(env, 'local', { apiUrl: 'http://127.0.0.1:1', apiKey: 'ak_profile' });
    expect(await resolveConnection({ json }, env)).toEqual({ apiUrl: 'http://127.0.0.1:1', apiKey: 'ak_profile' });
    const withEnv = { ...env, STREAMS_API_URL: 'http://127.0.0.1:2/', STREAMS_API_KEY: 'ak_env' };
    expect(await resolveConnection({ json }, withEnv)).toEqual({ apiUrl: 'http://127.0.0.1:2', apiKey: 'ak_env' });
    const flags = { json, apiUrl: 'http://127.0.0.1:3', apiKey: 'ak_flag' };
    expect(await resolveConnection(flags, withEnv)).toEqual({ apiUrl: 'http://127.0.0.1:3', apiKey: 'ak_flag' });
    expect(await resolveConnection({ json, apiKey: 'ak_flag' }, env)).toEqual({
      apiUrl: 'http://127.0.0.1:1',
      apiKey: 'ak_flag',
    });
  });

  it("never sends a profile's key to another server", async () => {
    await writeProfile(env, 'local', { apiUrl: 'http://127.0.0.1:1', apiKey: 'ak_profile' });
    const elsewhere = await resolveConnection({ json, apiUrl: 'https://elsewhere.example' }, env);
    expect(elsewhere).toEqual({ apiUrl: 'https://elsewhere.example', apiKey: undefined });
    const same = await resolveConnection({ json, apiUrl: 'http://localhost:1' }, env);
    expect(same.apiKey).toBe('ak_profile');
  });

  it('takes --profile, then STREAMS_PROFILE, then the current one', async () => {
    await writeProfile(env, 'local', { apiUrl: 'http://127.0.0.1:1' });
    await writeProfile(env, 'far', { apiUrl: 'https://far.example', apiKey: 'ak_far' });
    expect((await resolveConnection({ json, profile: 'far' }, env)).apiKey).toBe('ak_far');
    expect((await resolveConnection({ json }, { ...env, STREAMS_PROFILE: 'far' })).apiUrl).toBe('https://far.example');
    expect((await resolveConnection({ json, profile: 'local' }, { ...env, STREAMS_PROFILE: 'far' })).apiUrl).toBe(
      'http://127.0.0.1:1',
    );
    await expect(resolveConnection({ json, profile: 'toString' }, env)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('must be http', async () => {
    await expect(resolveConnection({ json, apiUrl: 'ftp://x' }, env)).rejects.toMatchObject({ code: 'USAGE' });
  });
});

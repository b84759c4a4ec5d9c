import { randomBytes } from 'node:crypto';
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadMasterKey } from '../../src/control/auth/master-key.ts';
import { TokenBuckets } from '../../src/control/auth/rate-limit.ts';
import { seal, unseal } from '../../src/control/auth/seal.ts';
import { hashSecret, matchesHash } from '../../src/control/auth/secrets.ts';
import { newKey } from '../../src/core/ids.ts';
import { silentLogger } from '../../src/core/log.ts';
import { capturingLogger, serviceToken, startTestControl, temporaryDir } from './helpers.ts';

it('writes no secret to the log or to the disk', async () => {
  await using test = await startTestControl();
  test.control.setEndpoints({ relayUrl: 'https://r', rtmpUrl: 'rtmp://r' });
  const input = (await test.call('POST', '/v1/live-inputs', { body: { name: 'a' } })).body;
  const rotated = (await test.call('POST', `/v1/live-inputs/${input.id}/rotate-stream-key`)).body;
  const minted = (await test.call('POST', `/v1/live-inputs/${input.id}/playback-tokens`)).body;
  const key = (await test.call('POST', '/v1/api-keys', { body: { name: 'k' } })).body;
  const strays = { wrongApi: newKey('ak_live'), wrongStream: newKey('sk_live') };
  await test.call('GET', '/v1/whoami', { key: strays.wrongApi });
  await test.call('GET', `/watch/${input.id}?tok=${minted.token}`, { key: null });
  await test.call('GET', `/v1/live-inputs/${strays.wrongStream}?sk=${strays.wrongStream}`);
  await test.call('POST', '/v1/live-inputs', { body: { name: '', ingest: strays.wrongStream } });
  for (const streamKey of [strays.wrongStream, rotated.stream_key_cleartext])
    await test.call('POST', '/internal/authorize', {
      key: serviceToken,
      body: { kind: 'publish', inputId: input.id, streamKey, ingest: 'rtmp' },
    });
  const secrets: string[] = [
    test.adminKey,
    key.api_key_cleartext,
    input.stream_key_cleartext,
    rotated.stream_key_cleartext,
    minted.token,
    serviceToken,
    strays.wrongApi,
    strays.wrongStream,
  ];
  expect(test.log.lines.length).toBeGreaterThan(8);
  const log = test.log.lines.join('\n');
  for (const secret of secrets) expect(log.includes(secret), secret.slice(0, 8)).toBe(false);
  expect(log).not.toContain('Bearer');

  for (const name of await readdir(test.dataDir)) {
    const text = (await readFile(join(test.dataDir, name))).toString('latin1');
    for (const secret of secrets) expect(text.includes(secret), `${name}: ${secret.slice(0, 8)}`).toBe(false);
    expect(text).not.toContain('BEGIN PRIVATE KEY');
  }
  const files = await readdir(test.dataDir);
  expect(files).toEqual(expect.arrayContaining(['control.db', 'control.db-wal', 'master.key']));
  for (const name of files) expect((await stat(join(test.dataDir, name))).mode & 0o777).toBe(0o600);
});

it('compares keys with their hash', () => {
  const key = newKey('sk_live');
  expect(matchesHash(key, hashSecret(key))).toBe(true);
  expect(matchesHash(newKey('sk_live'), hashSecret(key))).toBe(false);
  expect(matchesHash(key, 'short')).toBe(false);
});

it('seals under the master key and the context', () => {
  const [key, other] = [randomBytes(32), randomBytes(32)];
  const sealed = seal(key, 'rk_1', 'secret');
  expect(sealed).not.toBe(seal(key, 'rk_1', 'secret'));
  expect(unseal(key, 'rk_1', sealed)).toBe('secret');
  const bad: [Uint8Array, string, string][] = [
    [other, 'rk_1', sealed],
    [key, 'rk_2', sealed],
    [key, 'rk_1', `${sealed.slice(0, -2)}AA`],
    [key, 'rk_1', 'v1.'],
    [key, 'rk_1', sealed.replace('v1', 'v2')],
  ];
  for (const args of bad) expect(() => unseal(...args)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
});

it('keeps the master key in a 0600 file, or takes it from the environment', async () => {
  await using dir = await temporaryDir();
  const made = loadMasterKey(dir.path, undefined, silentLogger);
  expect(made).toHaveLength(32);
  expect(loadMasterKey(dir.path, '', silentLogger)).toEqual(made);
  expect(await readdir(dir.path)).toEqual(['master.key']);

  const log = capturingLogger();
  await chmod(join(dir.path, 'master.key'), 0o644);
  expect(loadMasterKey(dir.path, undefined, log)).toEqual(made);
  expect((await stat(join(dir.path, 'master.key'))).mode & 0o777).toBe(0o600);
  expect(log.lines).toHaveLength(1);

  const given = randomBytes(32);
  for (const text of [given.toString('hex'), given.toString('base64'), given.toString('base64url')])
    expect(Buffer.from(loadMasterKey(dir.path, text, silentLogger)).equals(given)).toBe(true);
  const invalid = expect.objectContaining({ code: 'CONFIG_INVALID' });
  expect(() => loadMasterKey(dir.path, 'too short', silentLogger)).toThrow(invalid);
  await writeFile(join(dir.path, 'master.key'), '');
  expect(() => loadMasterKey(dir.path, undefined, silentLogger)).toThrow(invalid);
});

it('counts failures by address, refills, and stays bounded', async () => {
  let now = 0;
  const limiter = new TokenBuckets(() => now, { capacity: 2, refillMs: 1000 }, 3);
  const all = async (...whom: string[]) => {
    const taken: boolean[] = [];
    for (const each of whom) taken.push(await limiter.take(each));
    return taken;
  };
  expect(await all('a', 'a', 'a', 'b')).toEqual([true, true, false, true]);
  now = 999;
  expect(await limiter.take('a')).toBe(false);
  now = 2000;
  expect(await limiter.take('a')).toBe(true);
  await all('c', 'd', 'e'); // pushes out a
  expect(await all('a', 'a')).toEqual([true, true]);
});

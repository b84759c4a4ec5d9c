import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as moq from '@moq/token';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commandLine } from './command-line.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'streams-token-'));
});
afterEach(() => rm(folder, { recursive: true }));

const token = (...args: string[]) => commandLine(['relay-token', ...args]);
const mode = async (file: string) => ((await stat(file)).mode & 0o777).toString(8);

describe('streams relay-token', () => {
  it('makes tokens for the relays of a cluster', async () => {
    const [key, jwt] = [join(folder, 'root.jwk'), join(folder, 'cluster.jwt')];
    await token('generate', '--out', key);
    await token('sign', '--key', key, '--cluster', '--publish', '', '--subscribe', '', '--out', jwt);
    const verified = await token('verify', '--key', key, '--in', jwt, '--json');
    expect(verified.lines()).toMatchObject([{ cluster: true, publish: ['**'], subscribe: ['**'] }]);
  });

  it('makes a key, a token of it, and verifies that; the files are their owner’s', async () => {
    const key = join(folder, 'root.jwk');
    const jwt = join(folder, 'viewer.jwt');
    const generated = await token('generate', '--out', key, '--id', 'my-key', '--json');
    expect(generated.lines()).toMatchObject([{ type: 'relay-key', kid: 'my-key', algorithm: 'HS256', keyFile: key }]);
    expect(generated.stdout).not.toContain(JSON.parse(await readFile(key, 'utf8')).k);
    const signed = await token(
      'sign',
      '--key',
      key,
      '--root',
      'demo',
      '--publish',
      'cam',
      '--subscribe',
      '',
      '--expires',
      '1h',
      '--out',
      jwt,
    );
    expect(signed.code).toBe(0);
    expect([await mode(key), await mode(jwt)]).toEqual(['600', '600']);
    const verified = await token('verify', '--key', key, '--in', jwt, '--json');
    expect(verified.lines()).toMatchObject([
      {
        type: 'relay-token',
        root: 'demo',
        publish: ['demo/cam/**'],
        subscribe: ['demo/**'],
        expiresAt: expect.any(String),
      },
    ]);
    const other = join(folder, 'other.jwk');
    await token('generate', '--out', other);
    expect(await token('verify', '--key', other, '--in', jwt)).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('signature'),
    });
  });

  it('prints a token that @moq/token accepts, and verifies one of its', async () => {
    const [whole, half] = [join(folder, 'private'), join(folder, 'public')];
    await token('generate', '--algorithm', 'ES256', '--out', whole, '--public', half);
    expect(await mode(half)).toBe('644');
    const printed = (await token('sign', '--key', whole, '--root', 'demo', '--subscribe', '')).stdout.trim();
    const theirs = moq.loadPublic(await readFile(half, 'utf8'));
    expect(await moq.verify(theirs, printed, 'demo')).toMatchObject({ root: 'demo', get: [''] });
    const jwt = await moq.sign(moq.load(await readFile(whole, 'utf8')), { root: 'a', put: 'b' });
    await writeFile(join(folder, 'jwt'), `${jwt}\n`);
    expect((await token('verify', '--key', half, '--in', join(folder, 'jwt'))).stdout).toContain('a/b/**');
  });

  it('never replaces a key unasked, and leaves nothing half made', async () => {
    const key = join(folder, 'root.jwk');
    await token('generate', '--out', key);
    const before = await readFile(key, 'utf8');
    expect(await token('generate', '--out', key)).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('--force'),
    });
    expect(await readFile(key, 'utf8')).toBe(before);
    expect((await token('generate', '--out', key, '--force')).code).toBe(0);
    expect(await readFile(key, 'utf8')).not.toBe(before);
    expect(await readdir(folder)).toEqual(['root.jwk']);
    expect((await token('generate', '--out', join(folder, 'none', 'x'))).code).toBe(2);
    expect((await token('generate', '--algorithm', 'HS256', '--public', key)).code).toBe(2);
  });

  it('names files after the key in folders, with its scope in both halves', async () => {
    const made = await token(
      'generate',
      '--algorithm',
      'EdDSA',
      '--out-dir',
      folder,
      '--root',
      'project',
      '--publish',
      'live',
    );
    expect(made.code).toBe(0);
    const [name] = await readdir(folder);
    const key = join(folder, name!);
    expect(name).toMatch(/^[0-9a-f]{16}\.jwk$/);
    expect(JSON.parse(await readFile(key, 'utf8')).scope).toEqual({ root: 'project', put: ['live'] });
    const wider = await token('sign', '--key', key, '--subscribe', '');
    expect(wider).toMatchObject({ code: 3, stderr: expect.stringContaining('scope') });
  });

  it.each([
    [['generate', '--algorithm', 'ES512'], 'ES256'],
    [['generate', '--out', 'a', '--out-dir', 'b'], '--out and --out-dir'],
    [['generate', '--root', 'a'], '--root alone'],
    [['sign', '--subscribe', ''], 'needs a key'],
    [['verify', '--key', '-'], 'cannot both'],
    [['sign', '--key', 'a', '--expires', '5'], 'neither a time'],
  ])('%j is refused in words', async (args, words) => {
    expect(await token(...args)).toMatchObject({ code: 2, stderr: expect.stringContaining(words) });
  });
});

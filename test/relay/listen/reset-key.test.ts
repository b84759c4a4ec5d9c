import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensureResetKey } from '../../../src/relay/listen/reset-key.ts';

let dataDir: string;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'relay-reset-key-'));
});
afterEach(() => rm(dataDir, { recursive: true }));

describe('ensureResetKey', () => {
  it('makes a key, and gives the same one ever after', async () => {
    const key = await ensureResetKey(dataDir);
    expect(key.length).toBe(64);
    expect(new Set(key).size).toBeGreaterThan(16);
    expect(await ensureResetKey(dataDir)).toEqual(key);
    expect((await stat(join(dataDir, 'tls', 'reset.key'))).mode & 0o777).toBe(0o600);
  });

  it('replaces a file that is no key', async () => {
    const key = await ensureResetKey(dataDir);
    await writeFile(join(dataDir, 'tls', 'reset.key'), 'short');
    const next = await ensureResetKey(dataDir);
    expect(next.length).toBe(64);
    expect(next).not.toEqual(key);
  });

  it('says where it cannot write', async () => {
    await writeFile(join(dataDir, 'tls'), 'a file');
    await expect(ensureResetKey(dataDir)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});

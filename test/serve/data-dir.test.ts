import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defaultDataDir, lockDataDir, makeDataDir } from '../../src/serve/data-dir.ts';
import { until } from './until.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'streams-data-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the data directory', () => {
  it('is below XDG_DATA_HOME or ~/.local/share, and private', async () => {
    expect(defaultDataDir({ XDG_DATA_HOME: '/x' })).toBe('/x/streams');
    expect(defaultDataDir({})).toMatch(/\/\.local\/share\/streams$/);
    const dir = join(folder, 'a', 'b');
    await makeDataDir(dir);
    expect((await stat(dir)).mode & 0o777).toBe(0o700);
    await writeFile(join(folder, 'file'), '');
    await expect(makeDataDir(join(folder, 'file', 'below'))).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});

/** The module as other processes can load it. */
async function built(outDir: string): Promise<string> {
  const entry = fileURLToPath(new URL('../../src/serve/data-dir.ts', import.meta.url));
  await build({
    configFile: false,
    logLevel: 'silent',
    build: { ssr: entry, outDir, rollupOptions: { output: { entryFileNames: 'data-dir.mjs' } } },
  });
  return join(outDir, 'data-dir.mjs');
}

describe('its lock', () => {
  it('names the living pid that holds it', async () => {
    const holder = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    try {
      await until(async () => (await readFile(`/proc/${holder.pid}/stat`, 'utf8').catch(() => '')) !== '');
      const startedAt = (await readFile(`/proc/${holder.pid}/stat`, 'utf8')).split(') ')[1]!.split(' ')[19];
      await writeFile(join(folder, 'control.lock'), `${holder.pid} ${startedAt}\n`);
      await expect(lockDataDir(folder, 'control')).rejects.toMatchObject({
        code: 'CONFLICT',
        message: `another streams serve (pid ${holder.pid}) is using ${folder}`,
      });
      await (await lockDataDir(folder, 'relay')).release();
      await writeFile(join(folder, 'control.lock'), `${holder.pid} 1\n`);
      await (await lockDataDir(folder, 'control')).release();
    } finally {
      holder.kill('SIGKILL');
    }
  });

  it('is taken over from the dead, and gone after release', async () => {
    const dead = spawn(process.execPath, ['-e', ''], { stdio: 'ignore' });
    await new Promise((resolve) => dead.on('close', resolve));
    for (const stale of [`${dead.pid} 12345\n`, '', 'nonsense', '-1 1']) {
      await writeFile(join(folder, 'control.lock'), stale);
      const lock = await lockDataDir(folder, 'control');
      expect(await readFile(join(folder, 'control.lock'), 'utf8')).toMatch(new RegExp(`^${process.pid} `));
      await lock.release();
      await expect(stat(join(folder, 'control.lock'))).rejects.toMatchObject({ code: 'ENOENT' });
    }
  });

  it('of a dead process is taken over by one of those that start at once', async () => {
    const module = await built(join(folder, 'built'));
    const dir = join(folder, 'data');
    await makeDataDir(dir);
    const locker = fileURLToPath(new URL('./children/locker.mjs', import.meta.url));
    const starters = Array.from({ length: 6 }, () => fork(locker, [module, dir]));
    const say = (word: string) =>
      Promise.all(
        starters.map(async (starter) => {
          const answer = once(starter, 'message');
          starter.send(word);
          return (await answer)[0] as { won?: boolean; code?: string };
        }),
      );
    try {
      await Promise.all(starters.map((starter) => once(starter, 'message')));
      for (let round = 0; round < 40; round++) {
        await writeFile(join(dir, 'control.lock'), `999999999 ${round}\n`);
        const answers = await say('take');
        expect(answers.filter(({ won }) => won).length).toBe(1);
        expect(answers.filter(({ code }) => code === 'CONFLICT').length).toBe(5);
        await say('release');
        expect(await readdir(dir)).toEqual([]);
      }
    } finally {
      for (const starter of starters) starter.kill('SIGKILL');
    }
  });
});

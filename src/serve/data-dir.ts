import { link, mkdir, readFile, unlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { StreamsError } from '../core/errors.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** `streams` below XDG_DATA_HOME or ~/.local/share. */
export function defaultDataDir(env: Env): string {
  return join(env.XDG_DATA_HOME || join(homedir(), '.local', 'share'), 'streams');
}

/** Creates the folder (0700) where it is missing. Throws CONFIG_INVALID. */
export async function makeDataDir(dir: string): Promise<void> {
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new StreamsError('CONFIG_INVALID', `cannot create the data directory ${dir}: ${(cause as Error).message}`, {
      cause,
      hint: '--data-dir <a folder you may write to>',
    });
  }
}

export type Lock = { release(): Promise<void> };

/**
 * Takes `<dir>/<name>.lock` for this process. A lock whose process is gone (or whose pid now belongs to another process)
 * is taken over. Throws CONFLICT naming the pid that holds it.
 */
export async function lockDataDir(dir: string, name: string): Promise<Lock> {
  const file = join(dir, `${name}.lock`);
  const draft = `${file}.${process.pid}`;
  const mine = `${process.pid} ${await startedAt(process.pid)}\n`;
  await writeFile(draft, mine, { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < 5; attempt++) {
      try {
        await link(draft, file);
        return { release: () => releaseLock(file, mine) };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const holder = await holderOf(file);
      if (holder !== undefined) {
        throw new StreamsError('CONFLICT', `another streams serve (pid ${holder}) is using ${dir}`, {
          hint: `stop it, or give this one its own folder: --data-dir <dir>`,
        });
      }
      await unlink(file).catch(() => {});
    }
    throw new StreamsError('CONFLICT', `cannot lock ${dir}: another streams serve is starting on it`);
  } finally {
    await unlink(draft).catch(() => {});
  }
}

/** The living process that holds the lock. */
async function holderOf(file: string): Promise<number | undefined> {
  const [pidText = '', started = ''] = (await readFile(file, 'utf8').catch(() => '')).trim().split(' ');
  const pid = Number(pidText);
  if (!Number.isSafeInteger(pid) || pid <= 0 || pid === process.pid) return undefined;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return undefined;
  }
  return (await startedAt(pid)) === started ? pid : undefined;
}

/** Tells a pid from its later reuse; '' where there is no /proc. Field 22 of proc_pid_stat(5). */
async function startedAt(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

async function releaseLock(file: string, mine: string): Promise<void> {
  const held = await readFile(file, 'utf8').catch(() => '');
  if (held === mine) await unlink(file).catch(() => {});
}

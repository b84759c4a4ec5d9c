import { createHash } from 'node:crypto';
import { link, mkdir, readFile, rm, unlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { StreamsError } from '../core/errors.ts';
import { isAlive } from './file-lock.ts';

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
 * is taken over, by one of those that try. Throws CONFLICT naming the pid that holds it.
 */
export async function lockDataDir(dir: string, name: string): Promise<Lock> {
  const file = join(dir, `${name}.lock`);
  const mine = `${process.pid} ${await startedAt(process.pid)}\n`;
  const holder = await take(file, mine);
  if (holder === undefined) return { release: () => releaseLock(file, mine) };
  throw new StreamsError('CONFLICT', `another streams serve (pid ${holder}) is using ${dir}`, {
    hint: `stop it, or give this one its own folder: --data-dir <dir>`,
  });
}

/** Returns the pid that holds it; undefined: it is ours. */
async function take(file: string, mine: string): Promise<number | undefined> {
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, mine, { mode: 0o600 });
  try {
    for (;;) {
      try {
        await link(draft, file);
        return undefined;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const held = await readFile(file, 'utf8').catch(() => undefined);
      const holder = (await holderOf(held ?? '')) ?? (held === undefined ? undefined : await clear(file, held, mine));
      if (holder !== undefined) return holder;
    }
  } finally {
    await unlink(draft).catch(() => {});
  }
}

/**
 * Removes a lock of the dead. Only who holds the lock of that very lock may do so: another that saw the same lock would remove the one
 * that has taken its place. Returns the pid of who is about it.
 */
async function clear(file: string, stale: string, mine: string): Promise<number | undefined> {
  const right = `${file}.${createHash('sha256').update(stale).digest('hex').slice(0, 16)}`;
  const other = await take(right, mine);
  if (other !== undefined) return other;
  if ((await readFile(file, 'utf8').catch(() => undefined)) === stale) await rm(file, { force: true });
  await releaseLock(right, mine);
  return undefined;
}

/** The living process that a lock names. */
async function holderOf(held: string): Promise<number | undefined> {
  const [pidText = '', started = ''] = held.trim().split(' ');
  const pid = Number(pidText);
  if (!Number.isSafeInteger(pid) || pid <= 0 || pid === process.pid || !isAlive(pid)) return undefined;
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

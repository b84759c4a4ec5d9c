import { mkdir, open, readFile, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { StreamsError } from '../core/errors.ts';

export type FileLock = { release(): Promise<void> };

const pauseMs = 15;
/** A holder says so often that it lives. */
const touchMs = 5000;
/** A holder that has not said so for so long has died, or its machine has. */
const deadAfterMs = 30_000;

/**
 * Makes `path` a lock between processes, for as long as `waitMs`. A lock whose process has died is taken over. Returns undefined where another
 * process still holds it. Rejects with what the file system says (a folder that cannot be written).
 */
export async function takeLock(path: string, waitMs: number): Promise<FileLock | undefined> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  for (const end = performance.now() + waitMs; ; ) {
    if (await create(path)) return held(path);
    if (await isAbandoned(path)) {
      await takeAway(path);
      continue;
    }
    if (performance.now() >= end) return undefined;
    await new Promise((resolve) => setTimeout(resolve, pauseMs * (0.5 + Math.random())));
  }
}

/** `work` while this process alone holds the lock of `file`. Throws CONFLICT where others hold it for too long. */
export async function whileLocked<T>(file: string, work: () => Promise<T>): Promise<T> {
  const path = `${file}.lock`;
  const lock = await takeLock(path, 10_000);
  if (lock === undefined)
    throw new StreamsError('CONFLICT', `another command holds ${path}`, { hint: 'the same command again' });
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

async function create(path: string): Promise<boolean> {
  try {
    const handle = await open(path, 'wx', 0o600);
    await handle.writeFile(`${process.pid} ${hostname()}\n`);
    await handle.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function held(path: string): FileLock {
  const timer = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined);
  }, touchMs);
  timer.unref();
  return {
    async release() {
      clearInterval(timer);
      await rm(path, { force: true });
    },
  };
}

async function isAbandoned(path: string): Promise<boolean> {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(path, 'utf8'), stat(path)]);
    const quietMs = Date.now() - mtimeMs;
    const [pid, host] = text.trim().split(' ');
    // Made, and not yet written.
    if (pid === undefined || host === undefined || pid === '') return quietMs > deadAfterMs;
    return quietMs > deadAfterMs || (host === hostname() && !isAlive(Number(pid)));
  } catch {
    return false;
  }
}

/** One of those that wait takes it away, after another look: the first to do so may already hold the next one. */
async function takeAway(path: string): Promise<void> {
  const turn = `${path}.turn`;
  if (!(await create(turn))) {
    if (await isAbandoned(turn)) await rm(turn, { force: true });
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    return;
  }
  try {
    if (await isAbandoned(path)) await rm(path, { force: true });
  } finally {
    await rm(turn, { force: true });
  }
}

/** Whether a process has that pid, this user's or another's. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

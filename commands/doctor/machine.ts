import { execFile } from 'node:child_process';
import { access, constants, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { toStreamsError } from '../../src/core/errors.ts';
import { engineFfmpeg } from '../../src/serve/engine-ffmpeg.ts';
import { loadNative } from '../../src/transport/quic/load-native.ts';
import { type Check, fail, ok, warn } from './check.ts';

const oldestNode = [20, 19] as const;
const ffmpegTimeoutMs = 10_000;
const encoders = ['libx264', 'aac'];
const lowDisk = 2 ** 30;
const noDisk = 100 * 2 ** 20;

export function nodeCheck(version: string): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const good = major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1]);
  return good
    ? ok('node', `${version} on ${process.platform}-${process.arch}`)
    : fail('node', `${version} is older than ${oldestNode.join('.')}`, 'install a newer Node.js: https://nodejs.org');
}

export function quicCheck(load: () => unknown = loadNative): Check {
  try {
    load();
    return ok('quic', 'the QUIC module loads');
  } catch (error) {
    const { message, hint } = toStreamsError(error);
    return fail('quic', message, hint ?? 'npm ci');
  }
}

type Env = Readonly<Record<string, string | undefined>>;

/** Renditions and the demo need it; without it inputs are passed through, so its lack is no failure. */
export async function ffmpegCheck(env: Env, signal: AbortSignal): Promise<Check> {
  const ffmpeg = engineFfmpeg(env);
  const run = (flag: string) =>
    promisify(execFile)(ffmpeg ?? '', ['-hide_banner', flag], {
      timeout: ffmpegTimeoutMs,
      maxBuffer: 4 << 20,
      signal,
    });
  const install = 'install ffmpeg (Debian: apt-get install ffmpeg), or name one in STREAMS_FFMPEG';
  if (ffmpeg === undefined) return warn('ffmpeg', 'not found: inputs are passed through, without renditions', install);
  try {
    const version = /^ffmpeg version (\S+)/m.exec((await run('-version')).stdout)?.[1] ?? '?';
    const { stdout } = await run('-encoders');
    const missing = encoders.filter((name) => !new RegExp(`^ [VA]\\S+ ${name} `, 'm').test(stdout));
    return missing.length === 0
      ? ok('ffmpeg', `${version} with ${encoders.join(', ')}`)
      : warn('ffmpeg', `${version} has no encoder ${missing.join(', ')}`, install);
  } catch {
    signal.throwIfAborted();
    return warn('ffmpeg', `${ffmpeg} does not run`, install);
  }
}

/** The folder, or where it would be made. */
export async function dataDirCheck(dir: string): Promise<Check> {
  try {
    const made = await stat(dir).catch(() => undefined);
    if (made !== undefined && !made.isDirectory())
      return fail('data directory', `${dir} is not a folder`, `rm ${dir}, or --data-dir`);
    await access(await existing(dir), constants.W_OK);
    if (made === undefined) return ok('data directory', `${dir} (made at the first start)`);
    return (made.mode & 0o077) === 0
      ? ok('data directory', dir)
      : warn('data directory', `${dir} can be read by others; it holds keys`, `chmod 700 ${dir}`);
  } catch {
    return fail('data directory', `${dir} cannot be written`, '--data-dir <a folder you may write to>');
  }
}

export async function diskCheck(dir: string): Promise<Check> {
  const { bavail, bsize } = await statfs(await existing(dir));
  const free = Number(bavail) * Number(bsize);
  const message = `${(free / 1e9).toFixed(1)} GB free`;
  if (free < noDisk) return fail('disk', message, 'make room: the store cannot write any more soon');
  return free < lowDisk ? warn('disk', message, 'make room: recordings and the store need it') : ok('disk', message);
}

/** The nearest folder above that is there. */
async function existing(dir: string): Promise<string> {
  const there = await stat(dir).then(
    () => true,
    () => false,
  );
  return there || dirname(dir) === dir ? dir : existing(dirname(dir));
}

import { createReadStream, createWriteStream, type WriteStream } from 'node:fs';
import {
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  statfs,
  symlink,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { StreamsError } from '../../core/errors.ts';
import { requireId } from '../../core/ids.ts';

/** Where the media of assets are kept: one folder an asset. File names are ours, never a client's. */
export type MediaStore = {
  /** Makes the folder, which is found by both ids. Throws CONFLICT when it is there already. */
  create(assetId: string, playbackId: string): Promise<void>;
  /** All asset ids. */
  list(): Promise<string[]>;
  /** The asset that an id (as_… or pb_…) names; undefined when there is none. */
  find(id: string): Promise<string | undefined>;
  /** undefined when the file is not there. Throws MALFORMED when it is no JSON. */
  readJson<T>(assetId: string, file: string): Promise<T | undefined>;
  /** Replaces the whole file or leaves it as it was, also over a power cut. */
  writeJson(assetId: string, file: string, value: unknown): Promise<void>;
  /** Bytes and time of the last write (ms since the Unix epoch); undefined when the file is not there. */
  stat(assetId: string, file: string): Promise<{ bytes: number; writtenAt: number } | undefined>;
  /** Writes from `offset` on, which is at most the size of the file; makes an empty file where there is none. */
  write(assetId: string, file: string, offset: number): Promise<WriteStream>;
  /** For writes at places of the caller's own; makes an empty file where there is none. */
  openWrite(assetId: string, file: string): Promise<OpenFile>;
  /** `end` is exclusive. */
  read(assetId: string, file: string, start: number, end: number): Readable;
  removeFile(assetId: string, file: string): Promise<void>;
  remove(assetId: string): Promise<void>;
  /** For programs that read files. */
  path(assetId: string, file: string): string;
  /** Bytes that may still be written. */
  freeBytes(): Promise<number>;
};

export type OpenFile = {
  /** All chunks, one after the other, from `offset` on. */
  writeAll(chunks: readonly Uint8Array[], offset: number): Promise<void>;
  /** What was written lasts over a power cut. */
  sync(): Promise<void>;
  close(): Promise<void>;
};

const fileName = /^[a-z][a-z0-9-]{0,40}(\.[a-z0-9]{1,8})?$/;
const writeBufferBytes = 1 << 20;

/** A MediaStore in a local directory, made (0700) when missing. Throws CONFIG_INVALID. */
export async function openLocalStore(root: string): Promise<MediaStore> {
  try {
    await mkdir(root, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new StreamsError('CONFIG_INVALID', `cannot keep media in ${root}: ${(cause as Error).message}`, { cause });
  }
  const folder = (assetId: string) => join(root, requireId('as', assetId));
  const path = (assetId: string, file: string) => {
    if (!fileName.test(file)) throw new StreamsError('INVALID_ARGUMENT', 'not a name of a media file');
    return join(folder(assetId), file);
  };
  const alias = (playbackId: string) => join(root, requireId('pb', playbackId));
  return {
    path,
    async create(assetId, playbackId) {
      try {
        await mkdir(folder(assetId), { mode: 0o700 });
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw diskError(error);
        throw new StreamsError('CONFLICT', 'the asset has media, or an upload, already');
      }
      await symlink(assetId, alias(playbackId)).catch((error) => {
        if (codeOf(error) !== 'EEXIST') throw diskError(error);
      });
    },
    async list() {
      return (await readdir(root)).filter((name) => /^as_[0-9A-Za-z]{22}$/.test(name));
    },
    async find(id) {
      try {
        if (!id.startsWith('pb_')) return (await stat(folder(id))).isDirectory() ? id : undefined;
        return requireId('as', await readlink(alias(id)));
      } catch {
        return undefined;
      }
    },
    async readJson<T>(assetId: string, file: string) {
      let text: string;
      try {
        text = await readFile(path(assetId, file), 'utf8');
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return undefined;
        throw error;
      }
      try {
        return JSON.parse(text) as T;
      } catch (cause) {
        throw new StreamsError('MALFORMED', `${file} of ${assetId} is not JSON`, { cause });
      }
    },
    async writeJson(assetId, file, value) {
      const target = path(assetId, file);
      try {
        // Flushed before it takes the place of the old one: a power cut leaves the one or the other, whole.
        await writeFile(`${target}.new`, JSON.stringify(value), { mode: 0o600, flush: true });
        await rename(`${target}.new`, target);
        await syncFolder(folder(assetId));
      } catch (error) {
        throw diskError(error);
      }
    },
    async stat(assetId, file) {
      try {
        const { size, mtimeMs } = await stat(path(assetId, file));
        return { bytes: size, writtenAt: mtimeMs };
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return undefined;
        throw error;
      }
    },
    async write(assetId, file, offset) {
      const target = path(assetId, file);
      if (offset === 0) await writeFile(target, '', { flag: 'a', mode: 0o600 });
      return createWriteStream(target, { flags: 'r+', start: offset, highWaterMark: writeBufferBytes });
    },
    async openWrite(assetId, file) {
      const target = path(assetId, file);
      await writeFile(target, '', { flag: 'a', mode: 0o600 });
      const handle = await open(target, 'r+');
      return {
        writeAll: (chunks, offset) => writeAll(handle, chunks, offset),
        sync: () => handle.datasync(),
        close: () => handle.close(),
      };
    },
    read: (assetId, file, start, end) =>
      createReadStream(path(assetId, file), { start, end: end - 1, highWaterMark: writeBufferBytes }),
    removeFile: (assetId, file) => rm(path(assetId, file), { force: true }),
    async remove(assetId) {
      await rm(folder(assetId), { recursive: true, force: true });
      for (const name of await readdir(root)) {
        if (!name.startsWith('pb_')) continue;
        const target = await readlink(join(root, name)).catch(() => undefined);
        if (target === assetId) await unlink(join(root, name)).catch(() => undefined);
      }
    },
    async freeBytes() {
      const { bavail, bsize } = await statfs(root);
      return bavail * bsize;
    },
  };
}

/** Makes names in a folder last over a power cut. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** writev may write less than it was given (IOV_MAX, a signal, a disk that is almost full). */
async function writeAll(handle: FileHandle, chunks: readonly Uint8Array[], offset: number): Promise<void> {
  let at = offset;
  let rest = chunks;
  while (rest.length > 0) {
    let { bytesWritten } = await handle.writev(rest.slice(0, 512), at);
    at += bytesWritten;
    let done = 0;
    while (done < rest.length && bytesWritten >= rest[done]!.length) bytesWritten -= rest[done++]!.length;
    rest = bytesWritten > 0 ? [rest[done]!.subarray(bytesWritten), ...rest.slice(done + 1)] : rest.slice(done);
  }
}

/** A full disk or quota in words (DISK_FULL); other failures as they are. */
export function diskError(error: unknown): unknown {
  const code = codeOf(error);
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new StreamsError('DISK_FULL', diskFull, { cause: error, hint: 'Free some space on the server.' });
  return error;
}

export const diskFull = 'the disk of the media engine is full';

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

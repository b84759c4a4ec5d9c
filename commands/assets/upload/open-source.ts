import { createHash } from 'node:crypto';
import { constants, createReadStream, openSync } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { StreamsError } from '../../../src/core/errors.ts';
import type { CommandContext } from '../../command.ts';
import type { uploadSpec } from '../specs.ts';
import { FileOnDisk } from './file-on-disk.ts';

export type Source = {
  /** What is piped in can be read once, a file again and again. */
  readonly media: Readable | FileOnDisk;
  readonly filename: string;
  /** Tells this file on this server from all others; undefined for what is piped in. */
  readonly key: string | undefined;
};

/** `-`, a file, or a pipe by its name (a FIFO, /dev/stdin, what `<(…)` stands for). Throws USAGE. */
export async function openSource(
  { args, options, stdin, output }: Pick<CommandContext<typeof uploadSpec>, 'args' | 'options' | 'stdin' | 'output'>,
  apiUrl: string,
): Promise<Source> {
  const { file } = args;
  const piped = (media: Readable, filename: string): Source => ({ media, filename, key: undefined });
  if (file === '-' || (file === '/dev/stdin' && !(await isRegular(file)))) {
    if (output.interactive)
      throw new StreamsError('USAGE', 'nothing is piped in', { hint: 'cat film.mp4 | streams assets upload -' });
    return piped(Readable.from(stdin, { objectMode: false }), options.name ?? 'stdin');
  }
  try {
    const found = await stat(file);
    if (found.isFIFO()) return piped(openPipe(file), options.name ?? basename(file));
    if (found.isCharacterDevice()) return piped(createReadStream(file), options.name ?? basename(file));
    if (!found.isFile()) throw new StreamsError('USAGE', `${file} is not a file`);
    const path = await realpath(file);
    const media = await FileOnDisk.open(path, file);
    // Another file, or the same one changed, is another upload.
    const identity = [path, media.size, media.mtimeMs, apiUrl, options.asset ?? ''].join('\n');
    // A link is called what the link is called.
    return { media, filename: basename(file), key: createHash('sha256').update(identity).digest('hex') };
  } catch (error) {
    if (error instanceof StreamsError) throw error;
    throw new StreamsError('USAGE', `cannot read ${file}: ${(error as Error).message}`, { cause: error });
  }
}

async function isRegular(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false;
}

/**
 * Never waits inside an open or a read: a thread that waits there for a writer keeps the process from ending. A descriptor that was handed
 * to us is taken as it is, since one opened anew does not hear of a writer that has gone before.
 */
function openPipe(path: string): Readable {
  const given = /^\/(?:dev|proc\/self)\/fd\/(\d+)$/.exec(path)?.[1];
  if (given !== undefined) return new Socket({ fd: Number(given), readable: true, writable: false });
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return new Socket({ fd, readable: true, writable: false });
}

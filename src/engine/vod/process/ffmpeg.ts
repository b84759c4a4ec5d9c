import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setPriority } from 'node:os';
import type { Readable } from 'node:stream';
import { StreamsError } from '../../../core/errors.ts';

/** Only local files and pipes: a file that refers to others cannot make ffmpeg fetch them. */
const protocols = ['-protocol_whitelist', 'file,pipe'];
/** Containers that hold their media themselves: no playlists (hls, dash, concat), which would read other files. */
const formats =
  'mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,mpeg,flv,avi,ogg,wav,w64,mp3,aac,flac,mxf,asf,nut,h264,hevc,ivf,caf,aiff';
/** Largest picture, against files that claim gigapixels. */
const maxPixels = String(8192 * 4352);

/** What every input is opened with. */
export function inputArguments(path: string): string[] {
  return [...protocols, '-format_whitelist', formats, '-max_pixels', maxPixels, '-i', path];
}

export type Bounds = {
  /** Whole run, ms. */
  readonly wallMs: number;
  /** Without output, ms. */
  readonly silenceMs: number;
  readonly outputBytes: number;
};

/**
 * Runs ffmpeg or ffprobe and yields its stdout, with the least priority of the machine's processes. Throws FFMPEG_MISSING, TIMEOUT or
 * LIMIT_EXCEEDED beyond the bounds, MALFORMED with its last words when it fails, the signal's reason. The process is gone afterwards.
 */
export async function* runFfmpeg(
  program: string,
  args: readonly string[],
  bounds: Bounds,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  for await (const { chunk } of runFfmpegOutputs(program, args, 1, bounds, signal)) yield chunk;
}

/** The descriptor of output `index` of a run, as ffmpeg is told it: 2 is where it complains. */
export function outputPipe(index: number): string {
  return `pipe:${descriptorOf(index)}`;
}

function descriptorOf(index: number): number {
  return index === 0 ? 1 : index + 2;
}

/** As `runFfmpeg`, with several outputs (`outputPipe`): each chunk with the index of the one it comes from. */
export async function* runFfmpegOutputs(
  program: string,
  args: readonly string[],
  outputs: number,
  bounds: Bounds,
  signal: AbortSignal,
): AsyncGenerator<{ output: number; chunk: Buffer }> {
  signal.throwIfAborted();
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe', ...Array.from({ length: outputs - 1 }, () => 'pipe' as const)],
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
  });
  let ended: StreamsError | undefined;
  const kill = (error: StreamsError) => {
    ended ??= error;
    child.kill('SIGKILL');
  };
  const wall = setTimeout(() => kill(late('took too long')), bounds.wallMs);
  let silence = setTimeout(() => kill(late('stood still')), bounds.silenceMs);
  const abort = () => kill(new StreamsError('INTERRUPTED', 'packaging was stopped'));
  signal.addEventListener('abort', abort, { once: true });
  const exit = exitOf(child, program);
  exit.catch(() => undefined);
  const words = lastWords(child.stderr as Readable | null);
  let bytes = 0;
  try {
    if (child.pid !== undefined) lowerPriority(child.pid);
    const pipes = Array.from({ length: outputs }, (_, i) => child.stdio[descriptorOf(i)] as Readable);
    for await (const { from, chunk } of asTheyCome(pipes)) {
      clearTimeout(silence);
      bytes += chunk.length;
      if (bytes > bounds.outputBytes) kill(new StreamsError('LIMIT_EXCEEDED', 'the file unpacks to more than it may'));
      if (ended !== undefined) break;
      yield { output: from, chunk };
      silence = setTimeout(() => kill(late('stood still')), bounds.silenceMs);
    }
    const code = await exit;
    if (ended !== undefined) throw ended;
    if (code !== 0) throw new StreamsError('MALFORMED', words() || `ffmpeg ended with ${code}`);
  } finally {
    clearTimeout(wall);
    clearTimeout(silence);
    signal.removeEventListener('abort', abort);
    if (child.exitCode === null) child.kill('SIGKILL');
    await exit.catch(() => undefined);
  }
}

async function* asTheyCome(pipes: readonly Readable[]): AsyncGenerator<{ from: number; chunk: Buffer }> {
  const readers = pipes.map((pipe) => pipe[Symbol.asyncIterator]() as AsyncIterator<Buffer>);
  const next = async (from: number) => ({ from, result: await readers[from]!.next() });
  const waiting = new Map(readers.map((_, from) => [from, next(from)]));
  while (waiting.size > 0) {
    const { from, result } = await Promise.race(waiting.values());
    if (result.done === true) {
      waiting.delete(from);
      continue;
    }
    waiting.set(from, next(from));
    yield { from, chunk: result.value };
  }
}

function late(what: string): StreamsError {
  return new StreamsError('TIMEOUT', `reading the file ${what}`);
}

async function exitOf(child: ChildProcess, program: string): Promise<number | null> {
  try {
    const [code] = await once(child, 'close');
    return code;
  } catch (cause) {
    throw new StreamsError('FFMPEG_MISSING', `cannot run ${program}`, {
      cause,
      hint: 'Install ffmpeg, or set STREAMS_FFMPEG.',
    });
  }
}

function lowerPriority(pid: number): void {
  try {
    setPriority(pid, 10);
  } catch {
    // It has ended already, or the system does not allow it.
  }
}

/** The last line it said, without addresses of memory and paths. */
function lastWords(stderr: Readable | null): () => string {
  let tail = '';
  stderr?.on('data', (chunk: Buffer) => {
    tail = (tail + chunk.toString('utf8')).slice(-2000);
  });
  return () =>
    (tail.trim().split('\n').at(-1) ?? '')
      .replace(/@ 0x[0-9a-f]+/g, '')
      .replace(/(?:file:)?\/[^\s:']*/g, 'the file')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it takes out
      .replace(/[\u0000-\u001f\u007f]/g, ' ')
      .slice(0, 300);
}

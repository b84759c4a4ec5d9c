import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { FlvReader, type FlvTag } from '../../codec/flv/flv-reader.ts';
import { toStreamsError } from '../../core/errors.ts';
import { firstPipe } from './ffmpeg-arguments.ts';

export type FfmpegProcessOptions = {
  /** The program. */
  ffmpeg: string;
  args: readonly string[];
  /** FLV streams it writes, to descriptors 3 and up. */
  outputs: number;
  onTag(output: number, tag: FlvTag): void;
  /** Once, unless it was killed by us: what it said last. */
  onEnd(lastWords: string): void;
};

/** Clock ticks a second of /proc (USER_HZ, the same on every Linux that Node runs on). */
const ticksPerSecond = 100;
const maxWords = 600;

/** What it needs to find its libraries: the keys in ours are none of its business. */
function environment(): NodeJS.ProcessEnv {
  const { PATH, LD_LIBRARY_PATH, DYLD_LIBRARY_PATH, SystemRoot } = process.env;
  return Object.fromEntries(
    Object.entries({ PATH, LD_LIBRARY_PATH, DYLD_LIBRARY_PATH, SystemRoot }).filter(([, value]) => value !== undefined),
  );
}

/** One ffmpeg: bytes in, FLV tags out. */
export class FfmpegProcess {
  readonly #child: ChildProcess;
  #over = false;
  #words = '';
  #cpuSeconds = 0;

  constructor(options: FfmpegProcessOptions) {
    const { ffmpeg, args, outputs } = options;
    const pipes = Array.from({ length: outputs }, () => 'pipe' as const);
    this.#child = spawn(ffmpeg, args, { stdio: ['pipe', 'ignore', 'pipe', ...pipes], env: environment() });
    const { stdin, stderr } = this.#child;
    // EPIPE of a process that has died: `close` tells of it.
    stdin!.on('error', () => {});
    stderr!.on('data', (bytes: Buffer) => {
      this.#words = (this.#words + bytes.toString()).slice(-2 * maxWords);
    });
    for (let i = 0; i < outputs; i++) this.#read(i, options);
    const ended = (words: string) => {
      if (this.#over) return;
      this.#over = true;
      options.onEnd(words.trim().slice(-maxWords));
    };
    this.#child.on('error', (error) => ended(error.message));
    this.#child.on('close', (code, signal) => ended(`${this.#words}\n(${signal ?? `exit ${code}`})`));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Bytes that ffmpeg has not taken yet. */
  get queuedBytes(): number {
    return this.#child.stdin!.writableLength;
  }

  /** Used up to now, user and system; 0 where there is no /proc. */
  get cpuSeconds(): number {
    try {
      const fields = readFileSync(`/proc/${this.#child.pid}/stat`, 'latin1').split(') ')[1]!.split(' ');
      this.#cpuSeconds = (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
    } catch {
      // Gone, or no Linux: the last figure stands.
    }
    return this.#cpuSeconds;
  }

  write(bytes: Uint8Array): void {
    if (!this.#over) this.#child.stdin!.write(bytes);
  }

  kill(): void {
    this.#over = true;
    this.#child.kill('SIGKILL');
  }

  #read(output: number, { onTag, onEnd }: FfmpegProcessOptions): void {
    const reader = new FlvReader();
    const pipe = this.#child.stdio[firstPipe + output] as Readable;
    pipe.on('error', () => {});
    pipe.on('data', (bytes: Buffer) => {
      if (this.#over) return;
      try {
        for (const tag of reader.push(bytes)) onTag(output, tag);
      } catch (error) {
        this.kill();
        onEnd(toStreamsError(error).message);
      }
    });
  }
}

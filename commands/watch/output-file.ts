import { type FileHandle, open, rm } from 'node:fs/promises';
import { StreamsError } from '../../src/core/errors.ts';

/** A file that only grows, so that it is good up to its last write however the program ends. */
export class OutputFile {
  readonly path: string;
  readonly #handle: FileHandle;
  #writing: Promise<void> = Promise.resolve();
  #failure: StreamsError | undefined;
  #bytes = 0;

  private constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.#handle = handle;
  }

  /** Throws INVALID_ARGUMENT. */
  static async create(path: string): Promise<OutputFile> {
    try {
      return new OutputFile(path, await open(path, 'w'));
    } catch (cause) {
      throw new StreamsError('INVALID_ARGUMENT', `cannot write ${path}: ${(cause as Error).message}`, {
        cause,
        hint: '--out <a file you may write>',
      });
    }
  }

  /** What went wrong with an earlier write. */
  get failure(): StreamsError | undefined {
    return this.#failure;
  }

  append(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    this.#writing = this.#writing.then(async () => {
      if (this.#failure !== undefined) return;
      try {
        await this.#handle.writeFile(bytes);
      } catch (cause) {
        this.#failure = new StreamsError('INTERNAL', `writing ${this.path}: ${(cause as Error).message}`, { cause });
      }
    });
  }

  /** Resolves when all is written. A file that got nothing is removed. */
  async close(): Promise<void> {
    await this.#writing;
    await this.#handle.close();
    if (this.#bytes === 0) await rm(this.path, { force: true });
  }
}

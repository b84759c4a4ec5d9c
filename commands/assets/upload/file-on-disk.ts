import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { FileSource } from 'tus-js-client';
import { StreamsError } from '../../../src/core/errors.ts';

const readBytes = 256 << 10;

/**
 * A file as tus-js-client reads it. It holds the file open, and looks at every piece whether the file is still the one that was opened: a
 * shorter one would leave the server waiting for what never comes, a longer one would be cut, a rewritten one would be a mixture.
 */
export class FileOnDisk implements FileSource {
  readonly size: number;
  readonly mtimeMs: number;
  /** Called once, with CONFLICT, when the file is no longer what it was. */
  onChange: (error: StreamsError) => void = () => undefined;
  readonly #handle: FileHandle;
  readonly #name: string;

  private constructor(handle: FileHandle, name: string, size: number, mtimeMs: number) {
    this.#handle = handle;
    this.#name = name;
    this.size = size;
    this.mtimeMs = mtimeMs;
  }

  /** Rejects as the file system does. `name` is said in errors. */
  static async open(path: string, name: string): Promise<FileOnDisk> {
    const handle = await open(path, 'r');
    const { size, mtimeMs } = await handle.stat();
    return new FileOnDisk(handle, name, size, mtimeMs);
  }

  slice(start: number, end: number): Promise<{ value: Readable & { size: number }; done: boolean }> {
    const until = Math.min(end, this.size);
    const stream = Readable.from(this.#pieces(start, until), { objectMode: false });
    // What ends it is told by onChange.
    stream.on('error', () => undefined);
    return Promise.resolve({
      value: Object.assign(stream, { size: Math.max(0, until - start) }),
      done: end >= this.size,
    });
  }

  /** tus-js-client says so after each upload that has gone well; whoever has opened the file closes it. */
  close(): void {}

  async end(): Promise<void> {
    await this.#handle.close().catch(() => undefined);
  }

  async *#pieces(start: number, end: number): AsyncGenerator<Buffer> {
    try {
      for (let at = start; at < end; ) {
        const piece = Buffer.allocUnsafe(Math.min(readBytes, end - at));
        const { bytesRead } = await this.#handle.read(piece, 0, piece.length, at);
        // Before the piece goes: the last one would complete the upload.
        await this.#checkUnchanged();
        at += bytesRead;
        yield piece.subarray(0, bytesRead);
      }
    } catch (error) {
      const failed =
        error instanceof StreamsError
          ? error
          : new StreamsError('INTERNAL', `cannot read ${this.#name}: ${(error as Error).message}`, { cause: error });
      this.onChange(failed);
      throw failed;
    }
  }

  async #checkUnchanged(): Promise<void> {
    const { size, mtimeMs } = await this.#handle.stat();
    if (size === this.size && mtimeMs === this.mtimeMs) return;
    const change =
      size === this.size
        ? 'was written to'
        : `went from ${this.size} to ${size} bytes (it ${size < this.size ? 'shrank' : 'grew'})`;
    throw new StreamsError('CONFLICT', `${this.#name} ${change} during its upload`, {
      hint: 'the same command again, once nothing writes to the file',
    });
  }
}

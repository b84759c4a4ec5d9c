import type { FileSource } from 'tus-js-client';

/**
 * What is piped in, as tus-js-client reads it. It reads one byte further than it is asked for, so it knows with the last chunk that this is the
 * last: the client's own source for streams learns of an end at a chunk's edge never, and waits for ever.
 */
export class PipedSource implements FileSource {
  /** Nobody knows it before the end. */
  readonly size = null as unknown as number;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #close: () => void;
  #kept: Buffer[] = [];
  #keptBytes = 0;
  /** Where in the stream the first kept byte is. */
  #from = 0;
  #ended = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(chunks: AsyncIterable<Uint8Array>, close: () => void) {
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#close = close;
  }

  /** Nothing at all comes. Reads the beginning, which stays for the first slice. Rejects as the source does. */
  async isEmpty(): Promise<boolean> {
    await this.#read(1);
    return this.#keptBytes === 0;
  }

  /** What is before `start` has arrived and is let go; the rest stays, for a connection that is lost. */
  slice(start: number, end: number): Promise<{ value: Buffer & { size: number }; done: boolean }> {
    const slice = this.#turn.then(() => this.#slice(start, end));
    this.#turn = slice.catch(() => undefined);
    return slice;
  }

  close(): void {
    this.#close();
  }

  async #slice(start: number, end: number) {
    if (start < this.#from) throw new Error('the server asks again for what it has had');
    this.#letGo(start - this.#from);
    await this.#read(end - start + 1);
    const all = Buffer.concat(this.#kept);
    this.#kept = [all];
    const value = all.subarray(0, end - start);
    return { value: Object.assign(value, { size: value.length }), done: this.#ended && value.length === all.length };
  }

  #letGo(bytes: number): void {
    this.#from += bytes;
    this.#keptBytes -= bytes;
    for (let left = bytes; left > 0; ) {
      const [first] = this.#kept;
      if (first === undefined) throw new Error('the server asks for what was not sent yet');
      if (first.length > left) this.#kept[0] = first.subarray(left);
      else this.#kept.shift();
      left -= first.length;
    }
  }

  /** Until `bytes` are kept, or the end. */
  async #read(bytes: number): Promise<void> {
    while (!this.#ended && this.#keptBytes < bytes) {
      const next = await this.#chunks.next();
      if (next.done === true) {
        this.#ended = true;
        return;
      }
      const chunk = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
      this.#kept.push(chunk);
      this.#keptBytes += chunk.length;
    }
  }
}

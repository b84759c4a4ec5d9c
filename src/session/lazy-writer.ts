import { StreamEnd } from '../transport/stream-end.ts';
import type { EndListener, SendStream } from '../transport/transport.ts';
import type { MoqObject, SubgroupWriter } from './types.ts';

/** A subgroup whose stream opens with the first object: where filters leave nothing of it, there is none. */
export class LazyWriter implements SubgroupWriter, EndListener {
  readonly stream: SendStream;
  readonly #open: () => SubgroupWriter;
  readonly #end = new StreamEnd();
  #opened: SubgroupWriter | undefined;

  constructor(open: () => SubgroupWriter) {
    this.#open = open;
    const opened = (): SendStream | undefined => this.#opened?.stream;
    const end = this.#end;
    this.stream = {
      get stopped() {
        return end.promise;
      },
      onEnd: (listener) => end.listen(listener),
      get id() {
        return opened()?.id ?? -1;
      },
      get queuedBytes() {
        return opened()?.queuedBytes ?? 0;
      },
      write: (bytes) => this.#writer().stream.write(bytes),
      writable: () => opened()?.writable() ?? Promise.resolve(),
      finish: () => this.finish(),
      reset: (code) => this.reset(code),
      setPriority: (priority) => opened()?.setPriority(priority),
    };
  }

  onEnd(listener: EndListener): void {
    this.#end.listen(listener);
  }

  /** From the stream. */
  streamEnded(code: number | null): void {
    this.#end.settle(code);
  }

  write(object: MoqObject): boolean {
    return this.#writer().write(object);
  }

  finish(): void {
    if (this.#opened === undefined) this.#end.settle(null);
    else this.#opened.finish();
  }

  reset(code: number): void {
    if (this.#opened === undefined) this.#end.settle(null);
    else this.#opened.reset(code);
  }

  #writer(): SubgroupWriter {
    if (this.#opened === undefined) {
      this.#opened = this.#open();
      this.#opened.onEnd(this);
    }
    return this.#opened;
  }
}

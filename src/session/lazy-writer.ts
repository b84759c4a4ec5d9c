import { deferred } from '../core/deferred.ts';
import type { SendStream } from '../transport/transport.ts';
import type { MoqObject, SubgroupWriter } from './types.ts';

/** A subgroup whose stream opens with the first object: where filters leave nothing of it, there is none. */
export class LazyWriter implements SubgroupWriter {
  readonly stream: SendStream;
  readonly #open: () => SubgroupWriter;
  readonly #stopped = deferred<number | null>();
  #opened: SubgroupWriter | undefined;

  constructor(open: () => SubgroupWriter) {
    this.#open = open;
    const opened = (): SendStream | undefined => this.#opened?.stream;
    this.stream = {
      stopped: this.#stopped.promise,
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

  write(object: MoqObject): boolean {
    return this.#writer().write(object);
  }

  finish(): void {
    if (this.#opened === undefined) this.#stopped.resolve(null);
    else this.#opened.finish();
  }

  reset(code: number): void {
    if (this.#opened === undefined) this.#stopped.resolve(null);
    else this.#opened.reset(code);
  }

  #writer(): SubgroupWriter {
    if (this.#opened === undefined) {
      this.#opened = this.#open();
      void this.#opened.stream.stopped.then((code) => this.#stopped.resolve(code));
    }
    return this.#opened;
  }
}

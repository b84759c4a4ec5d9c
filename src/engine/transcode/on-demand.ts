export type OnDemandOptions = {
  /** Wanted whether or not somebody asks. */
  always: boolean;
  /** From the last one's leaving to `stop`, ms. */
  lingerMs: number;
  start(): void;
  stop(): void;
};

/** Runs something while anybody wants any of its parts, and a little longer: who changes between them finds it running. */
export class OnDemand {
  readonly #options: OnDemandOptions;
  readonly #wanted = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #running = false;
  #closed = false;

  constructor(options: OnDemandOptions) {
    this.#options = options;
    // What it starts is not all there while its maker is still at it.
    if (options.always) queueMicrotask(() => this.#start());
  }

  /** How many want this part now. */
  set(part: string, count: number): void {
    if (count > 0) this.#wanted.add(part);
    else this.#wanted.delete(part);
    if (this.#wanted.size > 0) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#start();
    } else if (this.#running && !this.#options.always) {
      this.#timer ??= setTimeout(() => this.#stop(), this.#options.lingerMs);
    }
  }

  /** Starts and stops nothing any more. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #start(): void {
    if (this.#running || this.#closed) return;
    this.#running = true;
    this.#options.start();
  }

  #stop(): void {
    this.#timer = undefined;
    this.#running = false;
    if (!this.#closed) this.#options.stop();
  }
}

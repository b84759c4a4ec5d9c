import type { LogFields, Logger } from './log.ts';

const windowMs = 1000;
const linesPerWindow = 10;

/** Warnings that strangers can cause: at most 10 a second, then a count of the rest. */
export class LimitedWarnings {
  readonly #logger: Logger;
  readonly #now: () => number;
  #windowStart = Number.NEGATIVE_INFINITY;
  #lines = 0;
  #suppressed = 0;

  constructor(logger: Logger, now: () => number = () => performance.now()) {
    this.#logger = logger;
    this.#now = now;
  }

  warn(message: string, fields: LogFields): void {
    const now = this.#now();
    if (now - this.#windowStart >= windowMs) {
      this.#windowStart = now;
      this.#lines = 0;
    }
    if (++this.#lines > linesPerWindow) {
      this.#suppressed++;
      return;
    }
    if (this.#suppressed > 0) this.#logger.warn(message, { ...fields, suppressed: this.#suppressed });
    else this.#logger.warn(message, fields);
    this.#suppressed = 0;
  }
}

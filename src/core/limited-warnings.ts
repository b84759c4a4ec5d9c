import type { LogFields, Logger } from './log.ts';

const windowMs = 1000;

/** Lines that strangers can cause: at most so many a second (10 by default), then a count of the rest. */
export class LimitedWarnings {
  readonly #logger: Logger;
  readonly #linesPerWindow: number;
  readonly #now: () => number;
  #windowStart = Number.NEGATIVE_INFINITY;
  #lines = 0;
  #suppressed = 0;

  constructor(logger: Logger, now: () => number = () => performance.now(), linesPerSecond = 10) {
    this.#logger = logger;
    this.#linesPerWindow = linesPerSecond;
    this.#now = now;
  }

  warn(message: string, fields: LogFields): void {
    this.#write('warn', message, fields);
  }

  error(message: string, fields: LogFields): void {
    this.#write('error', message, fields);
  }

  info(message: string, fields: LogFields): void {
    this.#write('info', message, fields);
  }

  #write(level: 'error' | 'warn' | 'info', message: string, fields: LogFields): void {
    const now = this.#now();
    if (now - this.#windowStart >= windowMs) {
      this.#windowStart = now;
      this.#lines = 0;
    }
    if (++this.#lines > this.#linesPerWindow) {
      this.#suppressed++;
      return;
    }
    const more = this.#suppressed > 0 ? { suppressed: this.#suppressed } : {};
    this.#logger[level](message, { ...fields, ...more });
    this.#suppressed = 0;
  }
}

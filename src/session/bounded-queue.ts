import { type Deferred, deferred } from '../core/deferred.ts';

/** What arrives and waits to be asked for; beyond `limit` the oldest is dropped. */
export class BoundedQueue<T> {
  readonly #limit: number;
  readonly #dropped: (item: T) => void;
  readonly #waiting: Deferred<T | null>[] = [];
  readonly #items: T[] = [];
  #closed = false;

  constructor(limit: number, dropped: (item: T) => void = () => {}) {
    this.#limit = limit;
    this.#dropped = dropped;
  }

  push(item: T): void {
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) {
      waiting.resolve(item);
      return;
    }
    this.#items.push(item);
    if (this.#items.length > this.#limit) this.#dropped(this.#items.shift()!);
  }

  /** null once it is closed and empty. */
  next(): Promise<T | null> {
    const item = this.#items.shift();
    if (item !== undefined) return Promise.resolve(item);
    if (this.#closed) return Promise.resolve(null);
    const waiting = deferred<T | null>();
    this.#waiting.push(waiting);
    return waiting.promise;
  }

  /** Drops what waits. */
  clear(): void {
    for (const item of this.#items.splice(0)) this.#dropped(item);
  }

  close(): void {
    this.#closed = true;
    for (const waiting of this.#waiting.splice(0)) waiting.resolve(null);
  }
}

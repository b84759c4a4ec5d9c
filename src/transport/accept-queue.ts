import { type Deferred, deferred } from '../core/deferred.ts';

/** What arrived and waits to be taken, in order. One pending `next()` at a time; a newer one ends the older with null. */
export class AcceptQueue<T> {
  #items: T[] = [];
  #waiter: ((item: T | null) => void) | undefined;
  #room: Deferred<void> | undefined;
  #closed = false;

  get length(): number {
    return this.#items.length;
  }

  /** No effect once closed. */
  push(item: T): void {
    if (this.#closed) return;
    const waiter = this.#waiter;
    if (waiter === undefined) {
      this.#items.push(item);
      return;
    }
    this.#waiter = undefined;
    waiter(item);
  }

  /** Next item; null once closed. */
  next(): Promise<T | null> {
    const item = this.#items.shift();
    if (item !== undefined) {
      this.#room?.resolve();
      this.#room = undefined;
      return Promise.resolve(item);
    }
    if (this.#closed) return Promise.resolve(null);
    this.#waiter?.(null);
    return new Promise((resolve) => {
      this.#waiter = resolve;
    });
  }

  /** Resolves when fewer than `limit` items wait, or once closed: whoever fills the queue waits here first. */
  async room(limit: number): Promise<void> {
    while (!this.#closed && this.#items.length >= limit) {
      this.#room ??= deferred();
      await this.#room.promise;
    }
  }

  /** Somebody else takes from now on: ends the pending `next()`, answers what waits. */
  divert(): T[] {
    this.#waiter?.(null);
    this.#waiter = undefined;
    this.#room?.resolve();
    this.#room = undefined;
    return this.#items.splice(0);
  }

  /** Ends the pending `next()`; answers what nobody took, for the caller to refuse. */
  close(): T[] {
    this.#closed = true;
    return this.divert();
  }
}

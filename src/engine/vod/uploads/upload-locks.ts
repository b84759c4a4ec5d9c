/**
 * One request at a time works on an upload. The next one does not wait for the one before but ends it: a client that asks again
 * has lost that connection, though nobody told us yet.
 */
export class UploadLocks {
  readonly #active = new Map<string, { end(): void; over: Promise<void> }>();

  /** Ends the request that holds the lock, waits until its bytes are on disk, and takes the lock. Returns the function that releases it. */
  async acquire(id: string, end: () => void): Promise<() => void> {
    for (let other = this.#active.get(id); other !== undefined; other = this.#active.get(id)) {
      other.end();
      await other.over;
    }
    let release!: () => void;
    const over = new Promise<void>((resolve) => {
      release = resolve;
    });
    const mine = { end, over };
    this.#active.set(id, mine);
    return () => {
      if (this.#active.get(id) === mine) this.#active.delete(id);
      release();
    };
  }

  has(id: string): boolean {
    return this.#active.has(id);
  }

  /** Ends all and waits for them. */
  async close(): Promise<void> {
    const all = [...this.#active.values()];
    for (const { end } of all) end();
    await Promise.all(all.map(({ over }) => over));
  }
}

/**
 * One request at a time works on an upload. The next one does not wait for the one before but ends it: a client that asks again
 * has lost that connection, though nobody told us yet.
 */
export class UploadLocks {
  readonly #active = new Map<string, { end(): void; over: Promise<void> }>();

  /** Ends whoever has the turn, waits until their bytes are down, takes it. Call the answer when the turn is over. */
  async take(id: string, end: () => void): Promise<() => void> {
    for (let other = this.#active.get(id); other !== undefined; other = this.#active.get(id)) {
      other.end();
      await other.over;
    }
    let tell!: () => void;
    const over = new Promise<void>((resolve) => {
      tell = resolve;
    });
    const mine = { end, over };
    this.#active.set(id, mine);
    return () => {
      if (this.#active.get(id) === mine) this.#active.delete(id);
      tell();
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

const tickMs = 250;
/** A loop that was silent for longer has not heard what was said meanwhile; what waits longer for the store may be lost there. */
const stallMs = 1500;

/**
 * Since when this process has heard everything that was said to it: its start, the end of its event loop's last stall, or the return
 * of its store, whichever was last. Who was silent before that may have spoken to nobody, so for a while its silence means nothing.
 */
export class Attention {
  readonly #now: () => number;
  readonly #graceMs: number;
  readonly #timer: NodeJS.Timeout;
  #since: number;
  #sinceTick: number;
  #lastTick: number;
  /** When what is being kept was said, oldest first. */
  readonly #keeping = new Set<{ saidAt: number }>();

  /** `now` is milliseconds since the Unix epoch; `graceMs`: how long those that were not heard have to speak. */
  constructor(now: () => number, graceMs: number) {
    this.#now = now;
    this.#graceMs = graceMs;
    this.#since = now();
    this.#sinceTick = this.#lastTick = performance.now();
    this.#timer = setInterval(() => this.#tick(), tickMs);
    this.#timer.unref();
  }

  /**
   * Runs what keeps in the store something that was said. While it waits for long, and after it has failed, nobody's silence means
   * anything: a store that hangs keeps nothing, and says so late or not at all.
   */
  async keep<T>(work: () => Promise<T>): Promise<T> {
    this.#tick(); // had the loop stalled, this came after it
    const said = { saidAt: performance.now() };
    this.#keeping.add(said);
    try {
      return await work();
    } catch (error) {
      this.lost();
      throw error;
    } finally {
      this.#noticeWaits();
      this.#keeping.delete(said);
    }
  }

  /** Something that was said has got lost: the store did not take it. */
  lost(): void {
    this.#since = this.#now();
    this.#sinceTick = performance.now();
  }

  /** Who was heard last before this time (ms since the Unix epoch) may speak yet; undefined: everybody had the time to. */
  deafBefore(): number | undefined {
    this.#tick();
    this.#noticeWaits();
    return performance.now() - this.#sinceTick < this.#graceMs ? this.#since : undefined;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #noticeWaits(): void {
    const [oldest] = this.#keeping;
    if (oldest !== undefined && performance.now() - oldest.saidAt > stallMs) this.lost();
  }

  #tick(): void {
    const tick = performance.now();
    if (tick - this.#lastTick > stallMs) this.lost();
    this.#lastTick = tick;
  }
}

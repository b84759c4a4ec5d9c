export type ObjectLimits = { readonly objectBurst: number; readonly objectsPerSecond: number };

/** A bucket of objects. The clock is looked at only when it is empty, so an object costs a subtraction. */
export class ObjectRate {
  readonly #burst: number;
  readonly #perSecond: number;
  readonly #exceeded: () => void;
  readonly #now: () => number;
  #left: number;
  #filledAt: number;
  #isOver = false;

  /** `exceeded` is called once, with the first object that is one too many. */
  constructor(limits: ObjectLimits, exceeded: () => void, now: () => number = () => performance.now()) {
    this.#burst = limits.objectBurst;
    this.#perSecond = limits.objectsPerSecond;
    this.#exceeded = exceeded;
    this.#now = now;
    this.#left = limits.objectBurst;
    this.#filledAt = now();
  }

  /** false: there was none left. */
  take(): boolean {
    if (this.#left >= 1) {
      this.#left--;
      return true;
    }
    if (this.#isOver) return false;
    const now = this.#now();
    this.#left = Math.min(this.#burst, this.#left + ((now - this.#filledAt) * this.#perSecond) / 1000);
    this.#filledAt = now;
    if (this.#left >= 1) {
      this.#left--;
      return true;
    }
    this.#isOver = true;
    this.#exceeded();
    return false;
  }
}

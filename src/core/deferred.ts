/** A promise with its handles outside. Node 20 has no Promise.withResolvers. */
export type Deferred<T> = {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
};

export function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((res, rej) => {
    resolve = res;
    reject = rej;
  });
  return { promise, resolve, reject };
}

/** Settles once, with a value. Its promise is made when somebody asks: for what mostly nobody waits for. */
export class Latch<T = void> {
  #value: T | undefined;
  #isSettled = false;
  #promise: Promise<T> | undefined;
  #resolve: ((value: T) => void) | undefined;

  /** undefined until it settles. */
  get value(): T | undefined {
    return this.#value;
  }

  get promise(): Promise<T> {
    this.#promise ??= this.#isSettled
      ? Promise.resolve(this.#value as T)
      : new Promise((resolve) => {
          this.#resolve = resolve;
        });
    return this.#promise;
  }

  /** The first time counts. */
  resolve(value: T): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#value = value;
    this.#resolve?.(value);
    this.#resolve = undefined;
  }
}

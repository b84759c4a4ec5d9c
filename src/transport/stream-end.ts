import { type Deferred, deferred } from '../core/deferred.ts';
import type { EndListener } from './transport.ts';

/** How the sending half of a stream ended: told once, to whoever asks in either way. */
export class StreamEnd {
  /** undefined while open; then the peer's STOP_SENDING code, or null. */
  outcome: number | null | undefined;
  #promise: Deferred<number | null> | undefined;
  #listener: EndListener | undefined;

  get promise(): Promise<number | null> {
    if (this.#promise === undefined) {
      this.#promise = deferred();
      if (this.outcome !== undefined) this.#promise.resolve(this.outcome);
    }
    return this.#promise.promise;
  }

  /** A listener who comes late is told in a moment, never within this call. */
  listen(listener: EndListener): void {
    this.#listener = listener;
    const { outcome } = this;
    if (outcome !== undefined) queueMicrotask(() => listener.streamEnded(outcome));
  }

  /** The first time counts. */
  settle(outcome: number | null): void {
    if (this.outcome !== undefined) return;
    this.outcome = outcome;
    this.#promise?.resolve(outcome);
    this.#listener?.streamEnded(outcome);
  }
}

import { Latch } from '../core/deferred.ts';
import { rethrowLater } from '../core/fault.ts';
import type { EndListener } from './transport.ts';

/** How the sending half of a stream ended: told once, to whoever asks in either way. */
export class StreamEnd extends Latch<number | null> {
  #listener: EndListener | undefined;

  /** undefined while open; then the peer's STOP_SENDING code, or null. */
  get outcome(): number | null | undefined {
    return this.value;
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
    this.resolve(outcome);
    try {
      this.#listener?.streamEnded(outcome);
    } catch (error) {
      // The other streams of a connection that ends must hear of it too.
      rethrowLater(error);
    }
  }
}

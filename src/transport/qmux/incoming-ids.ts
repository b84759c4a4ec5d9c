import { qmuxCode } from '../../codec/qmux/code-points.ts';
import { QmuxError } from '../../codec/qmux/qmux-error.ts';

/** Which streams of one kind the peer has opened, and how many more it may (RFC 9000 2.1, 4.6). */
export class IncomingIds {
  readonly #window: number;
  #limit: number;
  #next = 0;
  /** Below `next`, not yet seen. As many as the limit allows at most. */
  readonly #unseen = new Set<number>();
  #released = 0;

  constructor(window: number) {
    this.#window = window;
    this.#limit = window;
  }

  /** true for a new stream, false for one seen before. Throws QmuxError STREAM_LIMIT_ERROR. */
  open(index: number): boolean {
    if (index >= this.#limit) throw new QmuxError(qmuxCode.streamLimitError, 'too many streams', 'LIMIT_EXCEEDED');
    if (index < this.#next) return this.#unseen.delete(index);
    for (let unseen = this.#next; unseen < index; unseen++) this.#unseen.add(unseen);
    this.#next = index + 1;
    return true;
  }

  /** One of them is over and done with. Returns whether a new limit is due. */
  release(): boolean {
    this.#released++;
    return this.#released + this.#window - this.#limit >= this.#window / 4;
  }

  /** A new limit for MAX_STREAMS. */
  raiseLimit(): number {
    this.#limit = this.#released + this.#window;
    return this.#limit;
  }
}

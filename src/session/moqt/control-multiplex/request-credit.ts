import { tooManyRequests } from '../../../codec/moqt/draft16/error-codes.ts';
import { MoqtError } from '../../../codec/moqt/moqt-error.ts';

/** Requests that a peer may have at once. */
const window = 1024;

/** MAX_REQUEST_ID that we grant (draft-16 9.5): as requests end, more may come, as with streams of QUIC. */
export class RequestCredit {
  #ended = 0;
  #granted = 2 * window;

  /** Ids of the peer have to stay below. */
  get granted(): number {
    return this.#granted;
  }

  /** Throws TOO_MANY_REQUESTS. */
  check(requestId: number): void {
    if (requestId >= this.#granted) throw new MoqtError(tooManyRequests, `request id ${requestId}`);
  }

  /** A request of the peer ended; answers a new limit to tell it, once that is worth a message. */
  ended(): number | undefined {
    this.#ended++;
    const limit = 2 * (this.#ended + window);
    if (limit - this.#granted < window) return undefined;
    this.#granted = limit;
    return limit;
  }
}

import { sessionCodes } from '../../codec/moqt/codes.ts';
import { MoqtError } from '../../codec/moqt/moqt-error.ts';

/** Ids seen out of order that are remembered; beyond, the oldest gap is given up. */
const maxAhead = 256;

/** Request ids of both sides (draft-18 10.1): even ones are the client's, odd ones the server's, each used once. */
export class RequestIds {
  #nextOurs: number;
  /** Every id of the peer below was seen or given up. */
  #floor: number;
  /** Made when one is: mostly they come in order. */
  #ahead: Set<number> | undefined;

  constructor(role: 'client' | 'server') {
    this.#nextOurs = role === 'client' ? 0 : 1;
    this.#floor = role === 'client' ? 1 : 0;
  }

  /** Our next id; it is taken only if `build` does not throw. */
  use<T>(build: (id: number) => T): T {
    const built = build(this.#nextOurs);
    this.#nextOurs += 2;
    return built;
  }

  /** Smallest id of the peer that was not seen, for GOAWAY (draft-18 10.4): with gaps, those may still be on their way. */
  get firstUnseen(): number {
    return this.#floor;
  }

  /** Throws INVALID_REQUEST_ID for an id that is not one of ours (draft-18 10.4). */
  checkOurs(id: number): void {
    if (id % 2 !== this.#nextOurs % 2) throw new MoqtError(sessionCodes.invalidRequestId, `request id ${id} in GOAWAY`);
  }

  /** Throws INVALID_REQUEST_ID for a wrong parity or an id seen before. Streams overtake each other, so ids may too. */
  receive(id: number): void {
    if (id % 2 !== this.#floor % 2 || id < this.#floor || this.#ahead?.has(id))
      throw new MoqtError(sessionCodes.invalidRequestId, `request id ${id}`);
    if (id === this.#floor) this.#floor += 2;
    else {
      this.#ahead ??= new Set();
      this.#ahead.add(id);
      if (this.#ahead.size > maxAhead) this.#floor = Math.min(...this.#ahead);
    }
    while (this.#ahead?.delete(this.#floor)) this.#floor += 2;
  }
}

import { protocolViolation } from '../../../codec/moqt/moqt-error.ts';

type Blocked = { readonly requestId: number; readonly send: () => void };

/** Our requests, held back while their ids are beyond the peer's MAX_REQUEST_ID (draft-16 9.5). They leave in their order. */
export class BlockedRequests {
  readonly #tellBlocked: (max: number) => void;
  #blocked: Blocked[] = [];
  #max = 0;
  #toldAt = -1;

  constructor(tellBlocked: (max: number) => void) {
    this.#tellBlocked = tellBlocked;
  }

  /** What starts a request. */
  start(requestId: number, send: () => void): void {
    if (this.#blocked.length === 0 && requestId < this.#max) {
      send();
      return;
    }
    this.#blocked.push({ requestId, send });
    if (this.#toldAt === this.#max) return;
    this.#toldAt = this.#max;
    this.#tellBlocked(this.#max);
  }

  /** What follows on a request, never before it. */
  follow(requestId: number, send: () => void): void {
    if (this.#blocked.some((blocked) => blocked.requestId === requestId)) this.#blocked.push({ requestId, send });
    else send();
  }

  /** The peer's SETUP. */
  begin(max: number): void {
    this.#max = max;
    this.#flush();
  }

  /** MAX_REQUEST_ID. Throws PROTOCOL_VIOLATION unless it grows. */
  raise(max: number): void {
    if (max <= this.#max) throw protocolViolation(`MAX_REQUEST_ID ${max} after ${this.#max}`);
    this.#max = max;
    this.#flush();
  }

  #flush(): void {
    let count = 0;
    while (count < this.#blocked.length && this.#blocked[count]!.requestId < this.#max) count++;
    for (const { send } of this.#blocked.splice(0, count)) send();
  }
}

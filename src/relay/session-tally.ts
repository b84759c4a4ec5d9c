import type { SessionFigures } from '../access/grant.ts';
import type { Transport } from '../transport/transport.ts';

/** What one session has carried. Nothing is counted an object at a time for a viewer that keeps up: see `settle`. */
export class SessionTally {
  objectsSent = 0;
  objectsReceived = 0;
  objectsDropped = 0;
  groupsDropped = 0;
  /** Each brings the figures up to now; run before they are read. */
  readonly settle = new Set<() => void>();
  readonly #transport: Pick<Transport, 'stats'>;
  #openedAt = 0;
  #joinedAt: number | undefined;

  constructor(transport: Pick<Transport, 'stats'>) {
    this.#transport = transport;
  }

  /** The session is established. Times are `performance.now()`. */
  opened(at: number): void {
    this.#openedAt = at;
  }

  /** An object of a media track was written; only the first call counts. */
  joined(at: number): void {
    this.#joinedAt ??= at;
  }

  figures(): SessionFigures {
    for (const settle of this.settle) settle();
    const { objectsSent, objectsReceived, objectsDropped, groupsDropped } = this;
    const { bytesSent, bytesReceived } = this.#transport.stats();
    const joinMs = this.#joinedAt === undefined ? undefined : Math.max(0, Math.round(this.#joinedAt - this.#openedAt));
    return {
      bytesSent,
      bytesReceived,
      objectsSent,
      objectsReceived,
      objectsDropped,
      groupsDropped,
      ...(joinMs !== undefined && { joinMs }),
    };
  }
}

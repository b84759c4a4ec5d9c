import type { SessionFigures } from '../../access/grant.ts';
import { sessionCodes } from '../../codec/moqt/codes.ts';
import type { Transport } from '../../transport/transport.ts';
import { Holdings } from '../track/group.ts';
import { type ObjectLimits, ObjectRate } from './object-rate.ts';

/** What one session has carried. Nothing is counted an object at a time for a viewer that keeps up: see `settle`. */
export class SessionTally {
  objectsSent = 0;
  objectsReceived = 0;
  objectsDropped = 0;
  groupsDropped = 0;
  /** Each brings the figures up to now; run before they are read. */
  readonly settle = new Set<() => void>();
  /** What is kept of what it publishes. */
  kept = new Holdings();
  /** undefined: any number. */
  #objectRate: ObjectRate | undefined;
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

  /** Whoever publishes more objects than that is closed (INTERNAL_ERROR, as the drafts have no code for it). */
  limitObjects(limits: ObjectLimits, transport: Pick<Transport, 'close'>): void {
    const reason = `more than ${limits.objectsPerSecond} objects a second`;
    const close = () => transport.close({ code: sessionCodes.internalError, reason });
    this.#objectRate = new ObjectRate(limits, close);
  }

  /** An object came. false: it was one too many, and the session is being closed. */
  received(): boolean {
    this.objectsReceived++;
    return this.#objectRate === undefined || this.#objectRate.take();
  }

  /** It is another relay of the cluster: what it brings is that of many publishers, each bounded where it publishes. */
  becameMember(): void {
    this.kept = new Holdings(true);
    this.#objectRate = undefined;
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

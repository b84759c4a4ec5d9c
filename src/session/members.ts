import type { SessionClose } from './types.ts';

export interface SessionMember {
  sessionEnded(close: SessionClose): void;
}

/**
 * Requests and subscriptions that have to hear of the end of their session. One that joins after it hears in a moment: what a
 * peer sent last may be handled when it has closed already.
 */
export class Members {
  readonly #all = new Set<SessionMember>();
  readonly #failed: (error: unknown) => void;
  #close: SessionClose | undefined;

  /** `failed` is told what a member throws at the end; the others hear of it all the same. */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  add(member: SessionMember): void {
    const close = this.#close;
    if (close === undefined) this.#all.add(member);
    else queueMicrotask(() => this.#tell(member, close));
  }

  delete(member: SessionMember): void {
    this.#all.delete(member);
  }

  /** The session has closed. */
  end(close: SessionClose): void {
    this.#close = close;
    for (const member of [...this.#all]) this.#tell(member, close);
    this.#all.clear();
  }

  #tell(member: SessionMember, close: SessionClose): void {
    try {
      member.sessionEnded(close);
    } catch (error) {
      this.#failed(error);
    }
  }
}

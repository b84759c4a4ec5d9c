import { StreamsError, toStreamsError } from '../../core/errors.ts';
import type { Session } from '../../session/types.ts';
import type { Transport } from '../../transport/transport.ts';

/** What is known across the sessions of one viewer. */
export type LookoutMemory = { redialMs: number; redialledAt: number };

export type LookoutOptions = {
  readonly memory: LookoutMemory;
  /** For how long nothing came while something should; 0 where nothing has to. */
  silentMs(): number;
  /** Nothing has come for a second: asks the peer for a sign of life. Called again and again. */
  silent(): void;
  readonly kind: Transport['kind'] | undefined;
  /** Another session to the same relay. `better`: by a better way than WebSocket. */
  dial(better: boolean): Promise<Session>;
  /** `session` takes over. */
  replace(session: Session): void;
  /** Nothing comes by the session, and no other can be had. */
  lost(error: StreamsError): void;
};

const lookMs = 500;
/** Silent for so long: the relay is asked whether it is still there. */
const probeMs = 1000;
/** Silent for so long: another session is dialled beside, which a race of all ways decides. */
const dialMs = 2000;
/** Some broadcasts have a picture every few seconds: each dial makes the next one wait twice as long. */
const mostDialMs = 60_000;
/** After so long without one all is forgotten. */
const forgetMs = 30_000;
/** First and longest time between looks for a better way than WebSocket. */
const betterMs = 10_000;
const mostBetterMs = 120_000;

export function newLookoutMemory(): LookoutMemory {
  return { redialMs: dialMs, redialledAt: Number.NEGATIVE_INFINITY };
}

/**
 * Watches the line of one session. What fell silent without a word (a firewall, a network that changed) is replaced by a session on whatever way still
 * works; one by WebSocket gives way to WebTransport when that comes through.
 */
export class LineLookout {
  readonly #options: LookoutOptions;
  readonly #timer: ReturnType<typeof setInterval>;
  #betterTimer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;
  #dialling = false;

  constructor(options: LookoutOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#look(), lookMs);
    if (options.kind === 'qmux') this.#seekBetter(betterMs);
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    clearTimeout(this.#betterTimer);
  }

  #look(): void {
    const { memory } = this.#options;
    const silentMs = this.#options.silentMs();
    if (silentMs >= probeMs) this.#options.silent();
    else if (performance.now() - memory.redialledAt > forgetMs) memory.redialMs = dialMs;
    if (silentMs >= memory.redialMs && !this.#dialling) void this.#redial();
  }

  async #redial(): Promise<void> {
    const { memory } = this.#options;
    this.#dialling = true;
    memory.redialMs = Math.min(mostDialMs, memory.redialMs * 2);
    memory.redialledAt = performance.now();
    try {
      const session = await this.#options.dial(false);
      this.#take(session, this.#options.silentMs() >= dialMs);
    } catch (error) {
      const known = toStreamsError(error);
      // A refusal (a token that opens one session) says that the relay is there: then it has nothing to send.
      const unreachable = known.code === 'RELAY_UNREACHABLE' || known.code === 'TIMEOUT';
      if (unreachable && !this.#closed && this.#options.silentMs() >= dialMs) this.#options.lost(known);
    } finally {
      this.#dialling = false;
    }
  }

  #seekBetter(waitMs: number): void {
    this.#betterTimer = setTimeout(() => {
      this.#options.dial(true).then(
        (session) => this.#take(session, true),
        (error) => {
          const never = error instanceof StreamsError && error.code === 'UNSUPPORTED';
          if (!this.#closed && !never) this.#seekBetter(Math.min(mostBetterMs, waitMs * 2));
        },
      );
    }, waitMs);
  }

  #take(session: Session, wanted: boolean): void {
    if (this.#closed || !wanted) session.close(0, '');
    else {
      this.close();
      this.#options.replace(session);
    }
  }
}

import type { RequestOf } from '../contract/endpoints.ts';
import { toStreamsError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';

type HeartbeatRequest = RequestOf<'heartbeat'>;
type Word = { live: LiveInput[]; errored: ErroredInput[] };

/** An input that is live here, with the figures of its ingest; `took`: a publisher came since control heard of it last. */
export type LiveInput = Exclude<HeartbeatRequest['live'][number], string>;
/** An input that went off air for what its encoder sent. */
export type ErroredInput = NonNullable<HeartbeatRequest['errored']>[number];

export type HeartbeatOptions = {
  /** Answers what must not be live here. */
  send(word: Word, signal: AbortSignal): Promise<readonly string[]>;
  live(): LiveInput[];
  /** What failed since it was asked last. */
  errored?(): readonly ErroredInput[];
  stop(inputId: string): void;
  logger: Logger;
  /** Default 2000. */
  everyMs?: number;
};

/** Tells the control plane what is live: at once on each change and every two seconds. One call at a time; a failed one is tried again. */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #abort = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #sending = false;
  #again = false;
  #failing = false;
  /** Not yet told. */
  readonly #errored = new Map<string, ErroredInput>();

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.beat();
  }

  beat(): void {
    if (this.#abort.signal.aborted) return;
    if (this.#sending) {
      this.#again = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#sending = true;
    void this.#send();
  }

  /** Takes back what it said: nothing is live any more. Waits for the answer, but not for a control plane that is away. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#abort.abort();
    await this.#options.send({ live: [], errored: [] }, AbortSignal.timeout(500)).catch(() => {});
  }

  async #send(): Promise<void> {
    const { send, live, errored, stop, logger, everyMs = 2000 } = this.#options;
    this.#again = false;
    try {
      for (const failed of errored?.() ?? []) this.#errored.set(failed.inputId, failed);
      const told = [...this.#errored.values()];
      const unwanted = await send({ live: live(), errored: told }, this.#abort.signal);
      for (const failed of told) if (this.#errored.get(failed.inputId) === failed) this.#errored.delete(failed.inputId);
      for (const inputId of unwanted) stop(inputId);
      if (this.#failing) logger.info('the control plane answers again');
      this.#failing = false;
    } catch (error) {
      const { code, message } = toStreamsError(error);
      if (!this.#failing && !this.#abort.signal.aborted)
        logger.warn('the control plane does not hear what is live', { code, reason: message });
      this.#failing = true;
    }
    this.#sending = false;
    if (this.#abort.signal.aborted) return;
    if (this.#again && !this.#failing) this.beat();
    else this.#timer = setTimeout(() => this.beat(), everyMs);
  }
}

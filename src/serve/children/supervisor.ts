import { StreamsError, toStreamsError } from '../../core/errors.ts';
import { type BackoffRule, defaultBackoff, nextWait } from './backoff.ts';
import { Child, type ChildCommand, type ChildExit } from './child.ts';
import type { LogLine } from './child-messages.ts';
import { type PulseRule, watchPulse } from './pulse.ts';

export type ChildPlan = {
  name: string;
  command: Omit<ChildCommand, 'onLog'>;
  /** What the child is told; asked at every start, so a restarted child is told the ports it had. */
  config(): unknown;
  /** Runs before the next child starts, at every start. Throwing counts as the child's failure. */
  onReady(ready: unknown, child: Child): Promise<void>;
};

export type SupervisorEvent =
  | { type: 'log'; process: string; line: LogLine }
  | { type: 'child'; process: string; event: 'ready'; pid: number; restarts: number }
  | ({ type: 'child'; process: string; event: 'exit'; pid: number; restartInMs: number; reason: string } & ChildExit)
  | { type: 'child'; process: string; event: 'stopped'; pid: number; killed: boolean };

export type SupervisorOptions = {
  /** In the order of their start. */
  plans: readonly ChildPlan[];
  onEvent(event: SupervisorEvent): void;
  backoff?: BackoffRule;
  /** How long a child may take to become ready before it is killed. */
  startDeadlineMs?: number;
  /** How long a child may take to stop before it is killed. */
  stopDeadlineMs?: number;
  /** When a child that has been ready counts as hung: it is killed, and started again. */
  pulse?: PulseRule;
};

type Managed = {
  plan: ChildPlan;
  child: Child;
  restarts: number;
  waitMs: number | undefined;
  timer: NodeJS.Timeout | undefined;
  unwatch: (() => void) | undefined;
};

/**
 * Starts children in order, starts again those that die or hang, stops them in the opposite order. All processes boot at once and
 * each waits for its configuration, so the order costs little time.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #managed: Managed[] = [];
  #stopping: Promise<void> | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** Resolves when all are ready. Rejects with the first failure, after the others were stopped. */
  async start(): Promise<void> {
    for (const plan of this.#options.plans) {
      this.#managed.push({
        plan,
        child: this.#spawn(plan),
        restarts: 0,
        waitMs: undefined,
        timer: undefined,
        unwatch: undefined,
      });
    }
    try {
      for (const managed of this.#managed) {
        await this.#bringUp(managed);
        this.#watch(managed, Date.now());
      }
    } catch (thrown) {
      const error = toStreamsError(thrown);
      await this.stop();
      throw error;
    }
  }

  /** Stops every child, in the opposite order of their start. Idempotent, never rejects. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  #spawn(plan: ChildPlan): Child {
    return new Child({
      ...plan.command,
      onLog: (line) => this.#options.onEvent({ type: 'log', process: plan.name, line }),
    });
  }

  async #bringUp({ plan, child, restarts }: Managed): Promise<void> {
    const deadline = setTimeout(() => child.kill(), this.#options.startDeadlineMs ?? 20_000);
    try {
      await plan.onReady(await child.configure(plan.config()), child);
    } catch (thrown) {
      const error = toStreamsError(thrown);
      if (error.code !== 'CHILD_DIED') throw error;
      throw new StreamsError('CHILD_DIED', `the ${plan.name} process could not start: ${error.message}`, {
        cause: error.cause,
        ...(error.hint === undefined ? {} : { hint: error.hint }),
      });
    } finally {
      clearTimeout(deadline);
    }
    this.#options.onEvent({ type: 'child', process: plan.name, event: 'ready', pid: child.pid ?? 0, restarts });
  }

  /** From here on the death of the child means a restart. */
  #watch(managed: Managed, since: number, failure?: StreamsError): void {
    const { plan, child } = managed;
    let why = failure?.message;
    if (failure === undefined) managed.unwatch = this.#watchPulse(managed, (reason) => (why = reason));
    void child.exited.then((exit) => {
      managed.unwatch?.();
      if (this.#stopping !== undefined) return;
      const wait = nextWait(
        this.#options.backoff ?? defaultBackoff,
        managed.waitMs,
        failure === undefined ? Date.now() - since : 0,
      );
      managed.waitMs = wait;
      this.#options.onEvent({
        type: 'child',
        process: plan.name,
        event: 'exit',
        pid: child.pid ?? 0,
        restartInMs: wait,
        reason: why ?? `it ended with ${exit.signal ?? `exit code ${exit.code}`}`,
        ...exit,
      });
      managed.timer = setTimeout(() => void this.#restart(managed), wait);
    });
  }

  #watchPulse({ plan, child }: Managed, hung: (reason: string) => void): () => void {
    return watchPulse(
      () => child.alive(),
      {
        slow: (ms) =>
          this.#options.onEvent({
            type: 'log',
            process: plan.name,
            line: { level: 'warn', message: 'it did not answer for a while: its event loop stood still', ms },
          }),
        hung: (ms) => {
          hung(`it hung: no answer for ${Math.round(ms / 100) / 10} s`);
          child.kill();
        },
      },
      this.#options.pulse,
    );
  }

  async #restart(managed: Managed): Promise<void> {
    managed.restarts++;
    managed.child = this.#spawn(managed.plan);
    try {
      await this.#bringUp(managed);
      this.#watch(managed, Date.now());
    } catch (thrown) {
      managed.child.kill();
      this.#watch(managed, Date.now(), toStreamsError(thrown));
    }
  }

  async #stopAll(): Promise<void> {
    for (const { timer, unwatch } of this.#managed) {
      clearTimeout(timer);
      unwatch?.();
    }
    const deadlineMs = this.#options.stopDeadlineMs ?? 3000;
    for (const { plan, child } of [...this.#managed].reverse()) {
      const { signal } = await child.stop(deadlineMs);
      this.#options.onEvent({
        type: 'child',
        process: plan.name,
        event: 'stopped',
        pid: child.pid ?? 0,
        killed: signal === 'SIGKILL',
      });
    }
  }
}

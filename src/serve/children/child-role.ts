import type { Logger } from '../../core/log.ts';

/** What a child process runs, once started. */
export type RunningChild = {
  /** Told to the supervisor: bound ports and the like. */
  ready: unknown;
  /** What the supervisor may ask of it. */
  calls?: Record<string, (params: unknown) => Promise<unknown>>;
  /** The process has caught, and logged, an error that nobody else did: for the figures of the role. */
  faulted?(): void;
  stop(): Promise<void>;
};

export type StartChild = (config: unknown, logger: Logger) => Promise<RunningChild>;

import type { ErrorCode } from '../../core/errors.ts';

export const processNames = ['control', 'relay', 'engine'] as const;

/** In the order of their start; they stop in the opposite one. */
export type ProcessName = (typeof processNames)[number];

export type ErrorMessage = { code: ErrorCode; message: string; hint?: string };

/** Supervisor → child, over the IPC channel: secrets never travel in argv or the environment. */
export type ToChild =
  | { type: 'config'; config: unknown }
  /** A method of the running child; answered by `answer` with the same id. */
  | { type: 'call'; id: number; method: string; params: unknown }
  /** Is the event loop turning? Answered by the same word. */
  | { type: 'alive' }
  | { type: 'stop' };

/** Child → supervisor. */
export type FromChild =
  | { type: 'ready'; ready: unknown }
  | { type: 'fatal'; error: ErrorMessage }
  | { type: 'alive' }
  | { type: 'answer'; id: number; value?: unknown; error?: ErrorMessage };

/** A line of a child's log. `message` and fields as its logger wrote them. */
export type LogLine = { level: string; message: string } & Record<string, unknown>;

import type { StreamsError } from '../../src/core/errors.ts';
import type { Terminal } from './terminal.ts';

/** How a result is laid out for a person. Commands say what it is; only this room dresses it. */
export type Block =
  | { kind: 'fields'; rows: readonly (readonly [label: string, value: string])[] }
  | { kind: 'table'; columns: readonly string[]; rows: readonly (readonly string[])[]; empty: string }
  | { kind: 'text'; text: string };

export type Result = {
  /** Printed with `--json`, after `"version":1`. */
  json: { type: string } & Record<string, unknown>;
  blocks: readonly Block[];
};

/**
 * What a command may say. stdout is data (`result`, `event`, `live`), stderr is talk (`note`, `warn`, `next`, `error`);
 * with `--json` nothing but errors reaches stderr and stdout holds only JSON.
 */
export interface Output {
  readonly json: boolean;
  /** A person is there to answer `prompt`. Never with `--json`. */
  readonly interactive: boolean;
  result(result: Result): Promise<void>;
  /** One JSON object a line with `--json`; otherwise the line, if there is one: as talk, or as data where it says so. */
  event(event: { json: { type: string } & Record<string, unknown>; line?: string; data?: true }): void;
  /** A picture that replaces the one before on a terminal; elsewhere only `line` is printed. */
  live(picture: { json: { type: string } & Record<string, unknown>; lines: readonly string[]; line: string }): void;
  /** Talk that replaces what it said before on a terminal; elsewhere it is said only where it is a `milestone`. */
  progress(line: string, milestone?: boolean): void;
  note(text: string): void;
  warn(text: string): void;
  /** Commands to type next. */
  next(commands: readonly string[]): void;
  error(error: StreamsError): void;
  /** Text made elsewhere: help and version. Always stdout, never dressed. */
  plain(text: string): void;
  readonly prompt: Terminal['prompter'];
}

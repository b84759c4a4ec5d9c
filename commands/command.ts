import type { ApiClient } from './connection/api-client.ts';
import type { GlobalOptions } from './global-options.ts';
import type { Output } from './output/output.ts';

/** One option of a command. Its key, in camelCase, is its long name in kebab-case. */
export type OptionSpec = {
  /** Name of the value in the help; without it the option is a switch. */
  value?: string;
  description: string;
  /** Throws StreamsError USAGE. */
  parse?: (text: string) => unknown;
  /** May be given several times; the values come as an array. */
  repeatable?: true;
  choices?: readonly string[];
  complete?: Completion;
  /** Shown in the help; the command applies it. */
  default?: string;
};

export type ArgumentSpec = { description: string; optional?: true; complete?: Completion };

/** Where the shell completion of a value comes from, where it is not `choices` nor a path. */
export type Completion = 'inputs' | 'keys' | 'api-keys' | 'assets' | 'webhooks' | 'profiles';

/** A command as data: what the parser, the help and the shell completions need, without its implementation. */
export type CommandSpec = {
  path: readonly string[];
  summary: string;
  /** Shown first in the help. */
  examples: readonly string[];
  /** Further paragraphs of the help. */
  details?: string;
  /** Takes `--watch`: it is run again and again, and what changed is shown. */
  watchable?: true;
  args: Record<string, ArgumentSpec>;
  options: Record<string, OptionSpec>;
};

type ValueOf<O extends OptionSpec> = O extends { value: string }
  ? O extends { parse: (text: string) => infer T }
    ? T
    : O extends { choices: readonly (infer C)[] }
      ? C
      : string
  : boolean;

export type OptionsOf<S extends CommandSpec> = {
  [K in keyof S['options']]:
    | (S['options'][K] extends { repeatable: true } ? ValueOf<S['options'][K]>[] : ValueOf<S['options'][K]>)
    | undefined;
};

export type ArgsOf<S extends CommandSpec> = {
  [K in keyof S['args']]: S['args'][K] extends { optional: true } ? string | undefined : string;
};

export type CommandContext<S extends CommandSpec = CommandSpec> = {
  readonly args: ArgsOf<S>;
  readonly options: OptionsOf<S>;
  readonly global: GlobalOptions;
  readonly env: NodeJS.ProcessEnv;
  readonly output: Output;
  /** What is piped in. */
  readonly stdin: AsyncIterable<Uint8Array>;
  /** Aborts on Ctrl-C, SIGTERM, or when the reader of stdout has gone. */
  readonly signal: AbortSignal;
  /** The control plane that flags, environment and profile point at. */
  api(): Promise<ApiClient>;
};

export type Run<S extends CommandSpec> = (context: CommandContext<S>) => Promise<void>;

export type Command = { spec: CommandSpec; load(): Promise<{ run: Run<CommandSpec> }> };

/** Joins a spec with its implementation, which is imported when the command runs. */
export function command<S extends CommandSpec>(spec: S, load: () => Promise<{ run: Run<S> }>): Command {
  return { spec, load: load as unknown as Command['load'] };
}

import { Command as Commander, CommanderError, Option } from 'commander';
import { StreamsError } from '../src/core/errors.ts';
import { nearest } from '../src/core/nearest.ts';
import type { Command, CommandSpec, OptionSpec } from './command.ts';
import type { GlobalOptions } from './global-options.ts';
import { commands, groups } from './registry.ts';

/** What the arguments ask for. */
export type Parsed =
  | { kind: 'text'; text: string }
  | {
      kind: 'command';
      command: Command;
      args: Record<string, string | undefined>;
      options: Record<string, unknown>;
      global: GlobalOptions;
      watch: boolean;
    };

/** Reads the arguments (without node and script). Throws StreamsError USAGE, with the nearest known word as its hint. */
export function parseArguments(argv: readonly string[], version: string): Parsed {
  let parsed: Parsed | undefined;
  let shown = '';
  const program = new Commander('streams');
  program
    .description('Operate live and on-demand video: control plane, media engine and MoQT relay in one program.')
    .version(version, '-V, --version', 'print the version')
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .configureOutput({
      writeOut: (text) => {
        shown += text;
      },
      writeErr: (text) => {
        shown += text;
      },
      // Errors are told by the one catch in main.ts.
      outputError: () => {},
    })
    .option('--api-url <url>', 'control plane (env STREAMS_API_URL)')
    .option('--api-key <key>', 'API key (env STREAMS_API_KEY)')
    .option('--profile <name>', 'profile of profiles.json (env STREAMS_PROFILE)')
    .option('--ca-file <file>', 'trust these certificates as well, PEM (env NODE_EXTRA_CA_CERTS)')
    .option('--json', 'print JSON for scripts')
    .option('--field <path>', 'print only this of the JSON, such as input.id or inputs[].name')
    .option('-q, --quiet', 'print nothing but data and errors')
    .addHelpText('after', '\nTopics: streams help exit-codes | environment');

  for (const entry of commands) {
    const parent = groupOf(program, entry.spec);
    const leaf = parent.command(entry.spec.path.at(-1)!).description(entry.spec.summary);
    describeCommand(leaf, entry.spec);
    leaf.action(() => {
      const names = Object.keys(entry.spec.args);
      parsed = {
        kind: 'command',
        command: entry,
        args: Object.fromEntries(names.map((name, index) => [name, leaf.args[index]])),
        options: leaf.opts(),
        global: { ...program.opts(), json: program.opts().json === true },
        watch: entry.spec.watchable === true && leaf.opts().watch === true,
      };
    });
  }
  groupOf(program, { path: ['help', ''] })
    .argument('[command...]', 'command to explain')
    .action((path: string[]) => {
      shown = findCommand(program, path).helpInformation();
    });

  try {
    program.parse([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const asked = ['commander.help', 'commander.helpDisplayed', 'commander.version'].includes(error.code);
    if (!asked) throw usageError(error, helpFor(program, argv));
  }
  return parsed ?? { kind: 'text', text: shown };
}

function groupOf(program: Commander, { path }: { path: readonly string[] }): Commander {
  if (path.length === 1) return program;
  const name = path[0]!;
  const known = program.commands.find((command) => command.name() === name);
  return known ?? program.command(name).description(groups[name] ?? '');
}

function describeCommand(leaf: Commander, spec: CommandSpec): void {
  for (const [name, { description, optional }] of Object.entries(spec.args)) {
    leaf.argument(optional ? `[${name}]` : `<${name}>`, description);
  }
  for (const [name, option] of Object.entries(spec.options)) leaf.addOption(optionOf(name, option));
  if (spec.watchable)
    leaf.addOption(new Option('-w, --watch', 'run again every 2 s and show what changes, until Ctrl-C'));
  const { details } = spec as CommandSpec;
  if (details !== undefined) leaf.addHelpText('after', `\n${details}`);
  leaf.addHelpText('after', '\nExit codes: streams help exit-codes. Environment: streams help environment.');
  leaf.addHelpText('before', `Examples:\n${spec.examples.map((example) => `  ${example}`).join('\n')}\n`);
}

function optionOf(
  name: string,
  { value, description, parse, repeatable, choices, default: preset }: OptionSpec,
): Option {
  const long = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  const notes = [...(choices ? [choices.join(' | ')] : []), ...(preset === undefined ? [] : [`default ${preset}`])];
  const option = new Option(
    value === undefined ? long : `${long} <${value}>`,
    notes.length === 0 ? description : `${description} (${notes.join('; ')})`,
  );
  if (value === undefined) return option;
  return option.argParser((text: string, earlier: unknown) => {
    if (choices !== undefined && !choices.includes(text)) {
      throw new StreamsError('USAGE', `${long} cannot be "${text}"`, { hint: `${long} ${choices.join(' | ')}` });
    }
    const parsed = parse === undefined ? text : parse(text);
    return repeatable ? [...((earlier as unknown[] | undefined) ?? []), parsed] : parsed;
  });
}

function findCommand(program: Commander, path: readonly string[]): Commander {
  let at = program;
  const found: string[] = [];
  for (const name of path) {
    const next = at.commands.find((command) => command.name() === name);
    if (next === undefined) {
      const likely = nearest(
        name,
        at.commands.map((command) => command.name()),
      );
      const hint = likely === undefined ? 'streams --help' : `streams help ${[...found, likely].join(' ')}`;
      throw new StreamsError('USAGE', `there is no help on "${path.join(' ')}"`, { hint });
    }
    at = next;
    found.push(name);
  }
  return at;
}

/** The help of the command that the arguments begin with. */
function helpFor(program: Commander, argv: readonly string[]): string {
  const path = ['streams'];
  let at = program;
  for (const word of argv) {
    const next = at.commands.find((command) => command.name() === word);
    // An option before the command, or its value.
    if (next === undefined) continue;
    path.push(word);
    at = next;
  }
  return `${path.join(' ')} --help`;
}

/** commander: `error: unknown command 'x'\n(Did you mean y?)`. */
function usageError(error: CommanderError, help: string): StreamsError {
  const [first = '', ...rest] = error.message.split('\n');
  const nearest = /\(Did you mean (?:one of )?(.+?)\?\)/.exec(rest.join(' '))?.[1];
  return new StreamsError('USAGE', first.replace(/^error: /, ''), { hint: nearest ?? help });
}

import { setMaxListeners } from 'node:events';
import { readFileSync } from 'node:fs';
import { StreamsError, toStreamsError } from '../src/core/errors.ts';
import type { CommandContext } from './command.ts';
import { type ExitCode, exitCodeOf, terminatedCode } from './exit-codes.ts';
import { createOutput } from './output/create-output.ts';
import type { Output } from './output/output.ts';
import { processTerminal } from './output/process-terminal.ts';
import type { Terminal } from './output/terminal.ts';

export type Surroundings = { env: NodeJS.ProcessEnv; terminal: Terminal; signal: AbortSignal };

/** `… | head -1` has read enough: the end is quiet, and no failure. */
const readerGone = new StreamsError('INTERRUPTED', 'the reader of the output has gone');

/** What was asked for has not arrived, whatever the command did: the one line is told at once, and the exit code stays a failure. */
function outputLost(cause: NodeJS.ErrnoException): StreamsError {
  const reasons: Record<string, string> = { ENOSPC: 'its disk is full', EIO: 'its device has failed' };
  return new StreamsError('INTERNAL', `the output cannot be written: ${reasons[cause.code ?? ''] ?? cause.message}`, {
    cause,
    hint: 'send it somewhere else, and run the command again',
  });
}

/** Nothing is left that could go on, and the command has neither done its work nor failed. */
const neverCame = new StreamsError(
  'INTERNAL',
  'the command came to a halt before it was done: what it waits for never comes',
  {
    hint: 'run it again with --json, and report what you see together with the command',
  },
);

/** npx passes on the Ctrl-C that the terminal has sent us as well; a person's second one comes later, and ends at once. */
const echoMs = 250;

/** Runs one command line (without node and script) and answers its exit code; the only place where an error becomes one. */
export async function runCommandLine(argv: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const { env, terminal, signal } = surroundings;
  let output: Output = createOutput(terminal, { json: asksForJson(argv) });
  try {
    // Not worth the time that the parser takes to load.
    if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
      output.plain(`${version()}\n`);
      return 0;
    }
    if (argv[0] === '__complete') {
      const { complete } = await import('./completion/complete.ts');
      output.plain(await complete(argv.slice(argv[1] === '--' ? 2 : 1), env, signal));
      return 0;
    }
    const { parseArguments } = await import('./program.ts');
    const parsed = parseArguments(argv, version());
    if (parsed.kind === 'text') {
      output.plain(parsed.text);
      return 0;
    }
    const { command, args, options, global } = parsed;
    output = createOutput(terminal, global);
    const context: CommandContext = {
      args: args as CommandContext['args'],
      options: options as CommandContext['options'],
      global,
      env,
      output,
      get stdin() {
        return terminal.input;
      },
      signal,
      async api() {
        const [{ apiClient }, { resolveConnection }] = await Promise.all([
          import('./connection/api-client.ts'),
          import('./profile.ts'),
        ]);
        return apiClient(await resolveConnection(global, env), signal);
      },
    };
    if (global.caFile !== undefined) {
      const { trustAlso } = await import('./connection/trust.ts');
      await trustAlso(global.caFile);
    }
    const { run } = await command.load();
    if (parsed.watch) {
      const { watch } = await import('./watch-command.ts');
      await watch(run, context, terminal);
    } else await run(context);
    return 0;
  } catch (thrown) {
    const error = toStreamsError(thrown);
    // A person who pressed Ctrl-C knows, and where the reader has gone there is nobody to tell.
    const known = error.code === 'INTERRUPTED' && signal.aborted && (!output.json || isOfOutput(signal.reason));
    if (!known) output.error(error);
    if (!known && error.code !== 'INTERRUPTED' && env.GITHUB_ACTIONS) {
      const { annotation } = await import('./annotation.ts');
      terminal.err(`${annotation(error)}\n`);
    }
    return exitCodeOf(error.code);
  }
}

/** stdout is gone, and nobody is left to tell, or it has been told. */
function isOfOutput(reason: unknown): boolean {
  return reason === readerGone || (reason instanceof StreamsError && reason.code === 'INTERNAL');
}

/** The program: this process's arguments, terminal and signals. */
export async function main(argv: readonly string[]): Promise<void> {
  const stop = new AbortController();
  // Every request under way listens to it, and a command may have many.
  setMaxListeners(0, stop.signal);
  let lost = false;
  const terminal = processTerminal(process.env, {
    brokenPipe: () => stop.abort(readerGone),
    cannotWrite(cause) {
      lost = true;
      const error = outputLost(cause);
      createOutput(terminal, { json: asksForJson(argv) }).error(error);
      // The last write of a command fails when the command has ended.
      process.exitCode = exitCodeOf(error.code);
      stop.abort(error);
    },
  });
  let firstAt = 0;
  let terminated = false;
  const interrupted = () => (terminated ? terminatedCode : exitCodeOf('INTERRUPTED'));
  const onSignal = (name: NodeJS.Signals) => {
    if (stop.signal.aborted) {
      if (performance.now() - firstAt > echoMs) process.exit(interrupted());
      return;
    }
    firstAt = performance.now();
    terminated = name === 'SIGTERM';
    stop.abort(new StreamsError('INTERRUPTED', 'interrupted'));
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  // Whatever ends this process before its command has said how it went is a failure.
  process.exitCode = exitCodeOf('INTERNAL');
  const onIdle = () => {
    createOutput(terminal, { json: asksForJson(argv) }).error(neverCame);
  };
  process.once('beforeExit', onIdle);
  const code = await runCommandLine(argv, { env: process.env, terminal, signal: stop.signal });
  process.off('beforeExit', onIdle);
  if (lost) process.exitCode = exitCodeOf('INTERNAL');
  else if (stop.signal.reason === readerGone) process.exitCode = 0;
  else process.exitCode = code === exitCodeOf('INTERRUPTED') ? interrupted() : code;
  process.off('SIGINT', onSignal);
  process.off('SIGTERM', onSignal);
}

/** Before the arguments are understood: errors in them want the form too. */
function asksForJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return argv.slice(0, end === -1 ? argv.length : end).includes('--json');
}

/** package.json is one folder up from the sources and two from the build. */
function version(): string {
  for (const path of ['../package.json', '../../package.json']) {
    try {
      const { name, version: found } = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
      if (name === 'streams') return found;
    } catch {}
  }
  throw new StreamsError('INTERNAL', 'package.json is missing', { hint: 'npm ci' });
}

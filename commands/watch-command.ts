import { delay } from '../src/core/delay.ts';
import { toStreamsError } from '../src/core/errors.ts';
import type { CommandContext, CommandSpec, Run } from './command.ts';
import { createOutput } from './output/create-output.ts';
import { redraw } from './output/redraw.ts';
import type { Terminal } from './output/terminal.ts';

const everyMs = 2000;
const passing = ['API_UNREACHABLE', 'TIMEOUT', 'RATE_LIMITED'];

/** `--watch`: runs a command until the signal aborts. A server that is away for a while is asked again; the first answer must be one. */
export async function watch(run: Run<CommandSpec>, context: CommandContext, terminal: Terminal): Promise<void> {
  const { signal, global } = context;
  const picture = redraw(terminal);
  const output = createOutput(picture.terminal, { ...global, quiet: true });
  for (let first = true; ; first = false) {
    signal.throwIfAborted();
    try {
      await run({ ...context, output, api: () => context.api() });
      picture.show();
    } catch (error) {
      if (first || signal.aborted || !passing.includes(toStreamsError(error).code)) throw error;
    }
    await delay(everyMs, signal);
  }
}

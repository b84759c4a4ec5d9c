import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommandLine } from '../../commands/main.ts';
import { memoryTerminal } from '../../commands/output/memory.ts';

/** Runs one command line in this process, with its own empty configuration folder unless `env` names one. */
export async function commandLine(
  argv: readonly string[],
  options: { env?: NodeJS.ProcessEnv; signal?: AbortSignal } & Parameters<typeof memoryTerminal>[0] = {},
) {
  const { env = {}, signal = new AbortController().signal, ...terminalOptions } = options;
  const folder = await mkdtemp(join(tmpdir(), 'streams-cli-'));
  const terminal = memoryTerminal(terminalOptions);
  try {
    const code = await runCommandLine(argv, { env: { STREAMS_CONFIG_DIR: folder, ...env }, terminal, signal });
    return { code, stdout: terminal.stdout, stderr: terminal.stderr, lines: terminal.jsonLines };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

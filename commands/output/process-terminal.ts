import { clackPrompter } from './clack-prompter.ts';
import type { Terminal } from './terminal.ts';

/**
 * The terminal of this process. `brokenPipe` is called once when the reader of stdout has gone (`… | head -1`): later
 * writes are dropped without a word. `cannotWrite` is called once when stdout takes no more for another reason (a full disk).
 */
export function processTerminal(
  env: NodeJS.ProcessEnv,
  { brokenPipe, cannotWrite }: { brokenPipe: () => void; cannotWrite: (cause: NodeJS.ErrnoException) => void },
): Terminal {
  const { stdout, stderr } = process;
  let broken = false;
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (broken) return;
    broken = true;
    if (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED') brokenPipe();
    else cannotWrite(error);
  });
  stderr.on('error', () => {});
  const dumb = env.TERM === 'dumb';
  const wantsColor = (env.NO_COLOR === undefined || env.NO_COLOR === '') && !dumb;
  return {
    out(text) {
      if (!broken) stdout.write(text);
    },
    err(text) {
      stderr.write(text);
    },
    outIsTty: stdout.isTTY === true && !dumb,
    errIsTty: stderr.isTTY === true && !dumb,
    interactive:
      process.stdin.isTTY === true && stdout.isTTY === true && !dumb && (env.CI === undefined || env.CI === ''),
    color: wantsColor && stdout.isTTY === true,
    width: () => (stdout.isTTY === true ? stdout.columns || 80 : Number.POSITIVE_INFINITY),
    prompter: clackPrompter,
    get input() {
      return process.stdin;
    },
  };
}

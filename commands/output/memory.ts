import { StreamsError } from '../../src/core/errors.ts';
import type { Terminal } from './terminal.ts';

export type MemoryTerminal = Terminal & {
  readonly stdout: string;
  readonly stderr: string;
  /** stdout, one JSON value a line. */
  jsonLines(): Record<string, unknown>[];
};

/**
 * A terminal for tests. `answers` are handed out to questions in order, whatever they ask; a question without an answer
 * rejects with INTERRUPTED.
 */
export function memoryTerminal(
  options: {
    tty?: boolean;
    color?: boolean;
    width?: number;
    answers?: readonly (string | boolean)[];
    stdin?: string;
  } = {},
): MemoryTerminal {
  const { tty = false, color = false, width = tty ? 80 : Number.POSITIVE_INFINITY } = options;
  const answers = [...(options.answers ?? [])];
  let stdout = '';
  let stderr = '';
  const answer = async (question: { message: string }) => {
    const next = answers.shift();
    if (next === undefined) throw new StreamsError('INTERRUPTED', `no answer to: ${question.message}`);
    return next;
  };
  return {
    out(text) {
      stdout += text;
    },
    err(text) {
      stderr += text;
    },
    outIsTty: tty,
    errIsTty: tty,
    interactive: tty,
    color,
    width: () => width,
    prompter: {
      text: async (question) => String(await answer(question)),
      password: async (question) => String(await answer(question)),
      select: async (question) => String(await answer(question)),
      confirm: async (question) => (await answer(question)) === true,
    },
    input: (async function* () {
      if (options.stdin !== undefined) yield Buffer.from(options.stdin);
    })(),
    get stdout() {
      return stdout;
    },
    get stderr() {
      return stderr;
    },
    jsonLines: () =>
      stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line)),
  };
}

import type { Output } from './output.ts';
import { printableJson } from './printable.ts';
import type { Terminal } from './terminal.ts';

/** One JSON object a line: data on stdout, errors on stderr, no talk. */
export function jsonOutput(terminal: Terminal): Output {
  const line = (value: unknown) => terminal.out(`${printableJson(value)}\n`);
  return {
    json: true,
    interactive: false,
    async result({ json }) {
      line({ version: 1, ...json });
    },
    event: ({ json }) => line(json),
    live: ({ json }) => line(json),
    progress() {},
    note() {},
    warn() {},
    next() {},
    error(error) {
      const { code, message, hint } = error;
      terminal.err(
        `${printableJson({ version: 1, type: 'error', error: { code, message, ...(hint === undefined ? {} : { hint }) } })}\n`,
      );
    },
    plain: (text) => terminal.out(text),
    prompt: terminal.prompter,
  };
}

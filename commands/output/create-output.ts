import { fieldOutput, parseField } from './field.ts';
import { humanOutput } from './human.ts';
import { jsonOutput } from './json.ts';
import type { Output } from './output.ts';
import type { Terminal } from './terminal.ts';

/** `field` prints only what it picks. Throws USAGE for a field that is none. */
export function createOutput(
  terminal: Terminal,
  options: { json: boolean; field?: string | undefined; quiet?: boolean | undefined },
): Output {
  const output = options.json ? jsonOutput(terminal) : humanOutput(terminal, options);
  return options.field === undefined ? output : fieldOutput(terminal, parseField(options.field), output);
}

import { humanOutput } from './human.ts';
import { jsonOutput } from './json.ts';
import type { Output } from './output.ts';
import type { Terminal } from './terminal.ts';

export function createOutput(terminal: Terminal, options: { json: boolean }): Output {
  return options.json ? jsonOutput(terminal) : humanOutput(terminal);
}

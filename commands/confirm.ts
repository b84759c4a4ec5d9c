import { StreamsError } from '../src/core/errors.ts';
import type { Output } from './output/output.ts';

/**
 * A person's yes to what cannot be taken back. Throws USAGE with the command that would have worked where nobody can be
 * asked, INTERRUPTED for a no.
 */
export async function confirm(
  output: Output,
  { yes, question, command }: { yes: boolean | undefined; question: string; command: string },
): Promise<void> {
  if (yes === true) return;
  if (!output.interactive) {
    throw new StreamsError('USAGE', 'this wants a yes, and there is no terminal to ask on', {
      hint: `${command} --yes${output.json ? ' --json' : ''}`,
    });
  }
  if (!(await output.prompt.confirm({ message: question })))
    throw new StreamsError('INTERRUPTED', 'nothing was changed');
}

import { StreamsError } from '../../src/core/errors.ts';
import type { Prompter } from './terminal.ts';

// Imported at the first question: 17 ms that most commands never need.
const clack = () => import('@clack/prompts');

/** clack answers Ctrl-C with a symbol. */
async function answered<T extends string | boolean>(answer: Promise<T | symbol>): Promise<T> {
  const value = await answer;
  if (typeof value === 'symbol') throw new StreamsError('INTERRUPTED', 'cancelled');
  return value as T;
}

export const clackPrompter: Prompter = {
  async text({ message, placeholder, validate }) {
    const { text } = await clack();
    return answered<string>(
      text({
        message,
        ...(placeholder === undefined ? {} : { placeholder }),
        ...(validate === undefined ? {} : { validate: (answer: string | undefined) => validate(answer ?? '') }),
      }),
    );
  },
  async select({ message, choices }) {
    const { select } = await clack();
    return answered<string>(
      select<string>({ message, options: choices.map(({ value, label }) => ({ value, label })) }),
    );
  },
  async password({ message }) {
    const { password } = await clack();
    return answered<string>(password({ message }));
  },
  async confirm({ message }) {
    const { confirm } = await clack();
    return answered<boolean>(confirm({ message, initialValue: false }));
  },
};

import type { Prompter } from './terminal.ts';

/** What a terminal takes for orders: C0 (tab and line feed excepted), DEL, C1, and marks that turn the direction of what follows. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const orders = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/**
 * Text as it is shown to a person, U+FFFD in place of what a terminal would obey: names, reasons and log lines were written by others, and
 * may move the cursor, change the title or pretend to be our own words.
 */
export function printable(text: string): string {
  return text.replace(orders, '\ufffd');
}

/** JSON for a terminal or a pipe: C0 is escaped already, DEL and C1 are now. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\u009f]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

export function printableQuestions(prompter: Prompter): Prompter {
  return {
    text: (question) => prompter.text({ ...question, message: printable(question.message) }),
    password: (question) => prompter.password({ ...question, message: printable(question.message) }),
    confirm: (question) => prompter.confirm({ ...question, message: printable(question.message) }),
    select: ({ message, choices }) =>
      prompter.select({
        message: printable(message),
        choices: choices.map(({ value, label }) => ({ value, label: printable(label) })),
      }),
  };
}

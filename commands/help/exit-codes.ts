import type { Run } from '../command.ts';
import { type ExitCode, errorCodesOf, exitCodes } from '../exit-codes.ts';
import type { exitCodesSpec } from './specs.ts';

export const run: Run<typeof exitCodesSpec> = async ({ output }) => {
  const rows = Object.entries(exitCodes).map(([text, meaning]) => {
    const code = Number(text) as ExitCode;
    return { code, meaning, errors: errorCodesOf(code) };
  });
  await output.result({
    json: { type: 'exit-codes', exitCodes: rows },
    blocks: [
      {
        kind: 'table',
        columns: ['exit', 'meaning', 'errors'],
        rows: rows.map(({ code, meaning, errors }) => [String(code), meaning, errors.join(' ')]),
        empty: '',
      },
    ],
  });
};

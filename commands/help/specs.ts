import type { CommandSpec } from '../command.ts';

export const exitCodesSpec = {
  path: ['help', 'exit-codes'],
  summary: 'What each exit code means',
  examples: ['streams help exit-codes'],
  args: {},
  options: {},
} as const satisfies CommandSpec;

export const environmentSpec = {
  path: ['help', 'environment'],
  summary: 'What each environment variable does',
  examples: ['streams help environment'],
  args: {},
  options: {},
} as const satisfies CommandSpec;

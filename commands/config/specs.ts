import type { CommandSpec } from '../command.ts';

export const useSpec = {
  path: ['config', 'use'],
  summary: 'Choose the profile that commands use when none is named',
  examples: ['streams config use prod'],
  args: { profile: { description: 'name of the profile', complete: 'profiles' } },
  options: {},
} as const satisfies CommandSpec;

export const listSpec = {
  path: ['config', 'list'],
  summary: 'List profiles',
  examples: ['streams config list'],
  args: {},
  options: {},
} as const satisfies CommandSpec;

export const showSpec = {
  path: ['config', 'show'],
  summary: 'Show which server and key a command would use, and where each comes from; never the key itself',
  examples: ['streams config show', 'streams config show --profile prod'],
  args: {},
  options: {},
} as const satisfies CommandSpec;

export const pathSpec = {
  path: ['config', 'path'],
  summary: 'Print where the profiles are kept',
  examples: ['streams config path'],
  args: {},
  options: {},
} as const satisfies CommandSpec;

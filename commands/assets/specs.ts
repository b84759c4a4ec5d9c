import type { CommandSpec } from '../command.ts';

const id = { description: 'id of the asset (as_…)', complete: 'assets' } as const;

export const listSpec = {
  path: ['assets', 'list'],
  summary: 'List assets',
  examples: ['streams assets list', 'streams assets list --status ready'],
  watchable: true,
  args: {},
  options: {
    status: {
      value: 'status',
      description: 'only these',
      choices: ['uploading', 'queued', 'processing', 'ready', 'errored'],
    },
  },
} as const satisfies CommandSpec;

export const getSpec = {
  path: ['assets', 'get'],
  summary: 'Show an asset',
  examples: ['streams assets get as_…', 'streams assets get as_… --watch'],
  watchable: true,
  args: { id },
  options: {},
} as const satisfies CommandSpec;

export const deleteSpec = {
  path: ['assets', 'delete'],
  summary: 'Delete an asset; who watches it is cut',
  examples: ['streams assets delete as_… --yes'],
  args: { id },
  options: { yes: { description: 'do not ask' } },
} as const satisfies CommandSpec;

import type { CommandSpec } from '../command.ts';

const id = { description: 'id of the input (lv_…)' } as const;

export const createSpec = {
  path: ['inputs', 'create'],
  summary: 'Create a live input; prints its stream key, once',
  examples: ['streams inputs create --name show', 'streams inputs create --name show --ingest rtmp --json'],
  args: {},
  options: {
    name: { value: 'text', description: 'name that people see' },
    ingest: {
      value: 'protocol',
      description: 'how the encoder pushes',
      choices: ['rtmp', 'srt', 'whip', 'fmp4'],
      default: 'rtmp',
    },
    externalId: { value: 'id', description: 'your own id for it' },
  },
} as const satisfies CommandSpec;

export const listSpec = {
  path: ['inputs', 'list'],
  summary: 'List live inputs',
  examples: ['streams inputs list', 'streams inputs list --json'],
  args: {},
  options: {},
} as const satisfies CommandSpec;

export const getSpec = {
  path: ['inputs', 'get'],
  summary: 'Show a live input',
  examples: ['streams inputs get lv_…'],
  args: { id },
  options: {},
} as const satisfies CommandSpec;

export const deleteSpec = {
  path: ['inputs', 'delete'],
  summary: 'Delete a live input and its stream key',
  examples: ['streams inputs delete lv_…', 'streams inputs delete lv_… --yes'],
  args: { id },
  options: { yes: { description: 'do not ask' }, force: { description: 'also while it is live' } },
} as const satisfies CommandSpec;

export const rotateKeySpec = {
  path: ['inputs', 'rotate-key'],
  summary: 'Replace the stream key; the old one stops working',
  examples: ['streams inputs rotate-key lv_…'],
  args: { id },
  options: {},
} as const satisfies CommandSpec;

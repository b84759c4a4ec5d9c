import { formatLadder, parseLadder } from '../../src/core/ladder.ts';
import type { CommandSpec } from '../command.ts';
import { parseDuration } from '../options/duration.ts';
import { secretFileOptions } from '../options/secret-file.ts';

const ladder = {
  value: 'ladder',
  description: 'renditions beside the source: auto, none, or 720p:2500k,480p',
  parse: (text: string) => formatLadder(parseLadder(text)),
} as const;

const id = { description: 'id of the input (lv_…)', complete: 'inputs' } as const;

export const createSpec = {
  path: ['inputs', 'create'],
  summary: 'Create a live input; prints its stream key, once',
  examples: [
    'streams inputs create --name show',
    'streams inputs create --name show --ladder auto',
    'streams inputs create --name show --record',
    'streams inputs create --name show --ingest rtmp --json',
    'streams inputs create --name show --output-file stream-key.txt',
  ],
  args: {},
  options: {
    name: { value: 'text', description: 'name that people see' },
    ingest: {
      value: 'protocol',
      description: 'how the encoder pushes',
      choices: ['rtmp', 'srt', 'whip', 'fmp4'],
      default: 'rtmp',
    },
    ladder,
    record: { description: 'keep each broadcast as an asset' },
    externalId: { value: 'id', description: 'your own id for it' },
    ...secretFileOptions,
  },
} as const satisfies CommandSpec;

export const listSpec = {
  path: ['inputs', 'list'],
  watchable: true,
  summary: 'List live inputs',
  examples: ['streams inputs list', 'streams inputs list --watch', 'streams inputs list --field inputs[].id'],
  args: {},
  options: {},
} as const satisfies CommandSpec;

export const getSpec = {
  path: ['inputs', 'get'],
  watchable: true,
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
  summary: 'Replace the stream key; the old one stops working, at once or after an overlap',
  examples: [
    'streams inputs rotate-key lv_…',
    'streams inputs rotate-key lv_… --overlap 1h --output-file stream-key.txt',
  ],
  args: { id },
  options: {
    overlap: { value: 'duration', description: 'how long the old key still works: up to 7d', parse: parseDuration },
    ...secretFileOptions,
  },
} as const satisfies CommandSpec;

export const updateSpec = {
  path: ['inputs', 'update'],
  summary: 'Change the name, the renditions or your own id of a live input',
  examples: [
    'streams inputs update lv_… --name "evening show"',
    'streams inputs update lv_… --ladder 720p:2500k,480p',
    'streams inputs update lv_… --clear-external-id',
  ],
  args: { id },
  options: {
    name: { value: 'text', description: 'name that people see' },
    ladder,
    record: {
      value: 'switch',
      description: 'keep each broadcast as an asset; one that is live is recorded from now on, or no more',
      choices: ['on', 'off'],
    },
    externalId: { value: 'id', description: 'your own id for it' },
    clearExternalId: { description: 'take your own id away' },
  },
} as const satisfies CommandSpec;

export const enableSpec = {
  path: ['inputs', 'enable'],
  summary: 'Take publishers again',
  examples: ['streams inputs enable lv_…'],
  args: { id },
  options: {},
} as const satisfies CommandSpec;

export const disableSpec = {
  path: ['inputs', 'disable'],
  summary: 'Refuse publishers; one that is live is cut',
  examples: ['streams inputs disable lv_…'],
  args: { id },
  options: {},
} as const satisfies CommandSpec;

export const statusSpec = {
  path: ['inputs', 'status'],
  watchable: true,
  summary: 'Say whether an input is on air, since when, and what its ingest measures',
  examples: ['streams inputs status lv_…'],
  args: { id },
  options: {},
} as const satisfies CommandSpec;

import { assetStates } from '../../src/contract/asset-state.ts';
import type { CommandSpec } from '../command.ts';
import { parseDuration } from '../options/duration.ts';

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
      choices: assetStates,
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

export const createSpec = {
  path: ['assets', 'create'],
  summary: 'Create an asset that waits for its upload',
  examples: ['streams assets create --name film', 'streams assets create --name film --external-id 42 --json'],
  args: {},
  options: {
    name: { value: 'text', description: 'name that people see', default: 'upload' },
    externalId: { value: 'id', description: 'your own id for it' },
  },
} as const satisfies CommandSpec;

export const uploadSpec = {
  path: ['assets', 'upload'],
  summary: 'Upload a file as an asset; the same command again goes on where it was cut',
  examples: [
    'streams assets upload film.mp4',
    'streams assets upload film.mp4 --wait --json',
    'ffmpeg -i tape.mov -f matroska - | streams assets upload - --name tape',
  ],
  details:
    'With --wait it ends when the asset is ready, or with exit code 1 and the reason when it cannot be packaged (124 after --timeout).',
  args: { file: { description: 'file to upload; - for what is piped in' } },
  options: {
    name: { value: 'text', description: 'name that people see; default is that of the file' },
    asset: { value: 'id', description: 'asset that waits for it (as_…), instead of a new one', complete: 'assets' },
    wait: { description: 'wait until it is ready' },
    timeout: { value: 'duration', description: 'longest wait', parse: parseDuration, default: '1h' },
  },
} as const satisfies CommandSpec;

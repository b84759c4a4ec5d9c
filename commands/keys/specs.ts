import type { CommandSpec } from '../command.ts';
import { parseDuration } from '../options/duration.ts';

const id = { description: 'id of the key (rk_…): the `kid` of its tokens', complete: 'keys' } as const;

export const createSpec = {
  path: ['keys', 'create'],
  summary: 'Create a signing key; new playback tokens are signed with it from now on',
  examples: ['streams keys create', 'streams keys create --alg RS256'],
  args: {},
  options: {
    alg: { value: 'algorithm', description: 'kind of key', choices: ['Ed25519', 'RS256'], default: 'Ed25519' },
  },
} as const satisfies CommandSpec;

export const listSpec = {
  path: ['keys', 'list'],
  watchable: true,
  summary: 'List signing keys',
  examples: ['streams keys list', 'streams keys list --field keys[].id'],
  args: {},
  options: {},
} as const satisfies CommandSpec;

export const importSpec = {
  path: ['keys', 'import'],
  summary: 'Import a public key: tokens that you sign with its private half are good',
  examples: ['streams keys import public.pem', 'openssl pkey -in private.pem -pubout | streams keys import -'],
  args: { file: { description: 'public key in PEM form: Ed25519, or RSA of 2048 bits or more; - is stdin' } },
  options: {},
} as const satisfies CommandSpec;

export const rotateSpec = {
  path: ['keys', 'rotate'],
  summary: 'Sign with a new key of the same kind; tokens of the old one work until the overlap is over',
  examples: ['streams keys rotate rk_…', 'streams keys rotate rk_… --overlap 2d'],
  args: { id },
  options: {
    overlap: {
      value: 'duration',
      description: 'how long tokens of the old key work: up to 90d',
      parse: parseDuration,
      default: '1d',
    },
  },
} as const satisfies CommandSpec;

export const deactivateSpec = {
  path: ['keys', 'deactivate'],
  summary: 'Take a signing key out of use; tokens signed with it stop working',
  examples: ['streams keys deactivate rk_…', 'streams keys deactivate rk_… --yes'],
  args: { id },
  options: { yes: { description: 'do not ask' } },
} as const satisfies CommandSpec;

export const deleteSpec = {
  path: ['keys', 'delete'],
  summary: 'Delete a signing key; refused while it is active unless forced',
  examples: ['streams keys delete rk_… --yes'],
  args: { id },
  options: { yes: { description: 'do not ask' }, force: { description: 'also while it is active' } },
} as const satisfies CommandSpec;

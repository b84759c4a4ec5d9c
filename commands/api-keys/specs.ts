import type { CommandSpec } from '../command.ts';
import { parseDuration } from '../options/duration.ts';
import { secretFileOptions } from '../options/secret-file.ts';

export const createSpec = {
  path: ['api-keys', 'create'],
  summary: 'Create an API key; prints it, once',
  examples: [
    'streams api-keys create --name ci --scope streams:write --expires 90d',
    'streams api-keys create --name ci --env-file "$GITHUB_ENV"',
  ],
  args: {},
  options: {
    name: { value: 'text', description: 'what it is for' },
    scope: {
      value: 'scope',
      description: 'what it may do; may be repeated',
      choices: ['streams:read', 'streams:write', 'streams:admin', 'ingest'],
      repeatable: true,
      default: 'streams:read',
    },
    expires: { value: 'duration', description: 'when it ends; never when left out', parse: parseDuration },
    ...secretFileOptions,
  },
} as const satisfies CommandSpec;

export const listSpec = {
  path: ['api-keys', 'list'],
  watchable: true,
  summary: 'List API keys; never the keys themselves',
  examples: ['streams api-keys list'],
  args: {},
  options: {},
} as const satisfies CommandSpec;

export const revokeSpec = {
  path: ['api-keys', 'revoke'],
  summary: 'Revoke an API key; it stops working at once',
  examples: ['streams api-keys revoke ak_… --yes'],
  args: { id: { description: 'id of the key (ak_…), as streams api-keys list shows it', complete: 'api-keys' } },
  options: { yes: { description: 'do not ask' } },
} as const satisfies CommandSpec;

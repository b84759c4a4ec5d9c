import type { Run } from '../command.ts';
import { type ApiKey, apiKeyTable } from './api-key.ts';
import type { listSpec } from './specs.ts';

export const run: Run<typeof listSpec> = async ({ output, api }) => {
  const keys = await (await api()).list<ApiKey>('/v1/api-keys');
  await output.result({ json: { type: 'api-keys', keys }, blocks: [apiKeyTable(keys)] });
};

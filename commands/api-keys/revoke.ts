import type { Run } from '../command.ts';
import { confirm } from '../confirm.ts';
import { type ApiKey, apiKeyTable } from './api-key.ts';
import type { revokeSpec } from './specs.ts';

export const run: Run<typeof revokeSpec> = async ({ args, options, output, api }) => {
  await confirm(output, {
    yes: options.yes,
    question: `Revoke the API key ${args.id}? What uses it stops working.`,
    command: `streams api-keys revoke ${args.id}`,
  });
  const key = await (await api()).request<ApiKey>('POST', `/v1/api-keys/${encodeURIComponent(args.id)}/revoke`);
  await output.result({ json: { type: 'api-key', key }, blocks: [apiKeyTable([key])] });
};

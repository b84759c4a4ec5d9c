import type { Run } from '../command.ts';
import type { enableSpec } from './specs.ts';
import { type Webhook, webhookTable } from './webhook.ts';

export const run: Run<typeof enableSpec> = async ({ args, output, api }) => {
  const path = `/v1/webhooks/${encodeURIComponent(args.id)}/enable`;
  const webhook = (await (await api()).request('POST', path)) as Webhook;
  await output.result({ json: { type: 'webhook', webhook }, blocks: [webhookTable([webhook])] });
};

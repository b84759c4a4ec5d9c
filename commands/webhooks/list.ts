import type { Run } from '../command.ts';
import type { listSpec } from './specs.ts';
import { type Webhook, webhookTable } from './webhook.ts';

export const run: Run<typeof listSpec> = async ({ output, api }) => {
  const webhooks = await (await api()).list<Webhook>('/v1/webhooks');
  await output.result({ json: { type: 'webhooks', webhooks }, blocks: [webhookTable(webhooks)] });
};

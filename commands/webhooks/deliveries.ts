import type { Run } from '../command.ts';
import type { deliveriesSpec } from './specs.ts';
import { type Delivery, deliveryTable } from './webhook.ts';

export const run: Run<typeof deliveriesSpec> = async ({ args, options, output, api }) => {
  const query = options.status === undefined ? '' : `?status=${options.status}`;
  const path = `/v1/webhooks/${encodeURIComponent(args.id)}/deliveries${query}`;
  const deliveries = await (await api()).list<Delivery>(path);
  await output.result({ json: { type: 'webhook-deliveries', deliveries }, blocks: [deliveryTable(deliveries)] });
};

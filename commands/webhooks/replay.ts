import type { Run } from '../command.ts';
import type { replaySpec } from './specs.ts';
import { type Delivery, deliveryTable } from './webhook.ts';

export const run: Run<typeof replaySpec> = async ({ args, output, api }) => {
  const path = `/v1/webhook-deliveries/${encodeURIComponent(args.delivery)}/replay`;
  const delivery = await (await api()).request<Delivery>('POST', path);
  await output.result({ json: { type: 'webhook-delivery', delivery }, blocks: [deliveryTable([delivery])] });
};

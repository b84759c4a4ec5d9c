import type { CommandSpec } from '../command.ts';
import { secretFileOptions } from '../options/secret-file.ts';

const id = { description: 'id of the webhook (wh_…)', complete: 'webhooks' } as const;

export const createSpec = {
  path: ['webhooks', 'create'],
  summary: 'Post events to an address, signed; prints the secret, once',
  examples: [
    'streams webhooks create https://example.com/hook',
    'streams webhooks create https://example.com/hook --event input.live --event input.idle',
  ],
  args: { url: { description: 'http(s) address; private networks are refused' } },
  options: {
    event: { value: 'name', description: 'only this event; may be repeated', repeatable: true },
    ...secretFileOptions,
  },
} as const satisfies CommandSpec;

export const listSpec = {
  path: ['webhooks', 'list'],
  summary: 'List webhooks; never their secrets',
  examples: ['streams webhooks list'],
  watchable: true,
  args: {},
  options: {},
} as const satisfies CommandSpec;

export const enableSpec = {
  path: ['webhooks', 'enable'],
  summary: 'Send again to a webhook that was switched off since it failed for too long',
  examples: ['streams webhooks enable wh_…'],
  args: { id },
  options: {},
} as const satisfies CommandSpec;

export const deleteSpec = {
  path: ['webhooks', 'delete'],
  summary: 'Delete a webhook; what is pending is not sent',
  examples: ['streams webhooks delete wh_… --yes'],
  args: { id },
  options: { yes: { description: 'do not ask' } },
} as const satisfies CommandSpec;

export const deliveriesSpec = {
  path: ['webhooks', 'deliveries'],
  summary: 'List what was sent to a webhook and how it went',
  examples: ['streams webhooks deliveries wh_… --status failed'],
  watchable: true,
  args: { id },
  options: {
    status: { value: 'status', description: 'only these', choices: ['pending', 'delivered', 'failed'] },
  },
} as const satisfies CommandSpec;

export const replaySpec = {
  path: ['webhooks', 'replay'],
  summary: 'Send the event of a delivery once more',
  examples: ['streams webhooks replay <delivery>'],
  args: { delivery: { description: 'id of the delivery, as streams webhooks deliveries shows it' } },
  options: {},
} as const satisfies CommandSpec;

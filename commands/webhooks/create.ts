import type { Run } from '../command.ts';
import { keepSecrets, prepareSecretFiles } from '../options/secret-file.ts';
import type { createSpec } from './specs.ts';
import { type Webhook, webhookTable } from './webhook.ts';

export const run: Run<typeof createSpec> = async ({ args, options, output, api }) => {
  await prepareSecretFiles(options);
  const { secret_cleartext: secret, ...webhook } = await (await api()).request<Webhook & { secret_cleartext: string }>(
    'POST',
    '/v1/webhooks',
    { url: args.url, ...(options.event === undefined ? {} : { events: options.event }) },
  );
  const savedTo = await keepSecrets(options, secret, { STREAMS_WEBHOOK_SECRET: secret });
  const saved = savedTo.length > 0;
  await output.result({
    json: { type: 'webhook', webhook, ...(saved ? { savedTo } : { secret }) },
    blocks: [
      webhookTable([webhook]),
      { kind: 'text', text: '' },
      { kind: 'fields', rows: [saved ? ['Secret kept in', savedTo.join(', ')] : ['Secret', secret]] },
    ],
  });
  if (!saved) output.note('\nThe secret is shown this once: the key of the HMAC in streams-signature.');
};

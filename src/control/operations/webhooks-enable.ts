import { z } from 'zod';
import { defineOperation } from './define.ts';
import { orgId, webhookId } from './fields.ts';
import { findWebhook, viewWebhook, webhook } from './webhooks/view.ts';

export const webhooksEnable = defineOperation({
  name: 'webhooks.enable',
  kind: 'mutation',
  summary: 'Send to a webhook again that was switched off since it failed for too long',
  scope: 'streams:admin',
  input: z.object({ orgId, id: webhookId }),
  output: webhook,
  rest: { method: 'POST', path: '/webhooks/{id}/enable' },
  target: ({ id }) => id,
  async run(call, { id }) {
    const row = await findWebhook(call, id);
    const on = { failing_since: null, failures: 0, disabled_at: null };
    await call.db.updateTable('webhooks').set(on).where('id', '=', id).execute();
    return viewWebhook({ ...row, ...on });
  },
});

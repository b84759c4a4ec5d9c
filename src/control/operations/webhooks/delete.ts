import { z } from 'zod';
import { defineOperation } from '../define.ts';
import { orgId, webhookId } from '../fields.ts';
import { findWebhook } from './view.ts';

export const webhooksDelete = defineOperation({
  name: 'webhooks.delete',
  kind: 'mutation',
  summary: 'Delete a webhook with its delivery log; what is pending is not sent',
  scope: 'streams:admin',
  input: z.object({ orgId, id: webhookId }),
  output: z.object({ id: z.string(), deleted: z.literal(true) }),
  rest: { method: 'DELETE', path: '/webhooks/{id}' },
  target: ({ id }) => id,
  async run(call, { id }) {
    await findWebhook(call, id);
    await call.db.deleteFrom('webhooks').where('id', '=', id).execute();
    return { id, deleted: true as const };
  },
});

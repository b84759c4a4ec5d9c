import { z } from 'zod';
import { newestFirst } from '../../store/page.ts';
import { defineOperation } from '../define.ts';
import { listOf, orgId, page, webhookId } from '../fields.ts';
import { delivery, findWebhook, viewDelivery } from './view.ts';

export const webhooksDeliveries = defineOperation({
  name: 'webhooks.deliveries',
  kind: 'query',
  long: true,
  summary: 'List what was sent to a webhook in the last 30 days and how it went, newest first',
  scope: 'streams:read',
  input: z.object({ orgId, id: webhookId, ...page, status: delivery.shape.status.optional() }),
  output: listOf(delivery),
  rest: { method: 'GET', path: '/webhooks/{id}/deliveries' },
  async run(call, { id: webhookId, cursor, limit, status }) {
    await findWebhook(call, webhookId);
    let query = call.db
      .selectFrom('webhook_deliveries as d')
      .innerJoin('events', 'events.id', 'd.event_id')
      .selectAll('d')
      .select('events.type')
      .where('d.webhook_id', '=', webhookId);
    if (status) query = query.where('d.status', '=', status);
    return newestFirst(query, { at: 'd.created_at', id: 'd.id' }, { cursor, limit }, viewDelivery);
  },
});

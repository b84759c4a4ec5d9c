import { z } from 'zod';
import { decodeCursor, toPage } from '../store/page.ts';
import { defineOperation } from './define.ts';
import { listOf, orgId, page, webhookId } from './fields.ts';
import { delivery, findWebhook, viewDelivery } from './webhook-view.ts';

export const webhooksDeliveries = defineOperation({
  name: 'webhooks.deliveries',
  kind: 'query',
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
    if (cursor !== undefined) {
      const { at, id } = decodeCursor(cursor);
      query = query.where((eb) =>
        eb.or([eb('d.created_at', '<', at), eb.and([eb('d.created_at', '=', at), eb('d.id', '<', id)])]),
      );
    }
    const rows = await query
      .orderBy('d.created_at', 'desc')
      .orderBy('d.id', 'desc')
      .limit(limit + 1)
      .execute();
    return toPage(rows, limit, (row) => ({ at: row.created_at, id: row.id }), viewDelivery);
  },
});

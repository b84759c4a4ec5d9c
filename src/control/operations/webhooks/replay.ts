import { z } from 'zod';
import { StreamsError } from '../../../core/errors.ts';
import { addDelivery } from '../../store/events.ts';
import { defineOperation } from '../define.ts';
import { deliveryId, orgId } from '../fields.ts';
import { delivery, viewDelivery } from './view.ts';

export const webhooksReplay = defineOperation({
  name: 'webhooks.replay',
  kind: 'mutation',
  summary: 'Send the event of a delivery once more, as a new delivery',
  scope: 'streams:write',
  input: z.object({ orgId, id: deliveryId }),
  output: delivery,
  rest: { method: 'POST', path: '/webhook-deliveries/{id}/replay' },
  target: (_input, output) => output.id,
  async run({ context, db, caller }, { id }) {
    const known = await db
      .selectFrom('webhook_deliveries')
      .innerJoin('webhooks', 'webhooks.id', 'webhook_deliveries.webhook_id')
      .select(['webhook_deliveries.webhook_id', 'webhook_deliveries.event_id', 'webhooks.disabled_at'])
      .where('webhook_deliveries.id', '=', id)
      .where('webhooks.org_id', '=', caller.orgId)
      .executeTakeFirst();
    if (!known) throw new StreamsError('NOT_FOUND', `there is no delivery ${id}`);
    if (known.disabled_at !== null)
      throw new StreamsError('CONFLICT', 'the webhook is switched off, for it failed for too long', {
        hint: `Switch it on again: streams webhooks enable ${known.webhook_id}`,
      });
    const { webhook_id: webhookId, event_id: eventId } = known;
    const replayId = await addDelivery(db, { webhookId, eventId, now: context.now() });
    const row = await db
      .selectFrom('webhook_deliveries as d')
      .innerJoin('events', 'events.id', 'd.event_id')
      .selectAll('d')
      .select('events.type')
      .where('d.id', '=', replayId)
      .executeTakeFirstOrThrow();
    return viewDelivery(row);
  },
});

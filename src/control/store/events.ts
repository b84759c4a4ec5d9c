import { newId } from '../../core/ids.ts';
import type { EventType } from './event-types.ts';
import type { Db, DeliveryRow } from './schema.ts';

/**
 * Records that something happened, and what has to be delivered of it. Call it in the transaction that makes it so: then it is
 * told exactly when it is true. `data` is JSON and holds no secret.
 */
export async function recordEvent(
  db: Db,
  event: { orgId: string; type: EventType; data: Record<string, unknown>; now: number },
): Promise<void> {
  const { orgId, type, data, now } = event;
  const webhooks = await db
    .selectFrom('webhooks')
    .select(['id', 'events'])
    .where('org_id', '=', orgId)
    .where('disabled_at', 'is', null)
    .execute();
  const wanted = webhooks.filter(({ events }) => (JSON.parse(events) as EventType[]).includes(type));
  if (wanted.length === 0) return;
  const eventId = newId('evt');
  await db
    .insertInto('events')
    .values({ id: eventId, org_id: orgId, type, data: JSON.stringify(data), at: now })
    .execute();
  const deliveries = wanted.map(({ id }) => newDelivery({ webhookId: id, eventId, now }));
  await db.insertInto('webhook_deliveries').values(deliveries).execute();
}

type What = { webhookId: string; eventId: string; now: number };

/** A delivery that is due at once. Returns its id. */
export async function addDelivery(db: Db, what: What): Promise<string> {
  const delivery = newDelivery(what);
  await db.insertInto('webhook_deliveries').values(delivery).execute();
  return delivery.id;
}

function newDelivery({ webhookId, eventId, now }: What): DeliveryRow {
  return {
    id: newId('whd'),
    webhook_id: webhookId,
    event_id: eventId,
    status: 'pending',
    attempts: 0,
    next_attempt_at: now,
    claimed_until: 0,
    response_status: null,
    error: null,
    created_at: now,
    delivered_at: null,
  };
}

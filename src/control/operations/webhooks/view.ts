import { z } from 'zod';
import { StreamsError } from '../../../core/errors.ts';
import { type EventType, eventTypes } from '../../store/event-types.ts';
import type { DeliveryRow, WebhookRow } from '../../store/schema.ts';
import type { Call } from '../define.ts';
import { isoTime, time } from '../fields.ts';

export const webhook = z.object({
  id: z.string(),
  url: z.string(),
  events: z.array(z.enum(eventTypes)),
  createdAt: time,
  failingSince: time.nullable().describe('Every attempt since then has failed'),
  disabledAt: time
    .nullable()
    .describe('Switched off then, for it failed for too long; webhooks.enable switches it on again'),
});

export function viewWebhook(row: WebhookRow): z.input<typeof webhook> {
  return {
    id: row.id,
    url: row.url,
    events: JSON.parse(row.events) as EventType[],
    createdAt: isoTime(row.created_at),
    failingSince: row.failing_since === null ? null : isoTime(row.failing_since),
    disabledAt: row.disabled_at === null ? null : isoTime(row.disabled_at),
  };
}

/** Throws NOT_FOUND for a webhook of another org too. */
export async function findWebhook({ db, caller }: Call, id: string): Promise<WebhookRow> {
  const row = await db
    .selectFrom('webhooks')
    .selectAll()
    .where('id', '=', id)
    .where('org_id', '=', caller.orgId)
    .executeTakeFirst();
  if (row) return row;
  throw new StreamsError('NOT_FOUND', `there is no webhook ${id}`, { hint: 'List them: streams webhooks list' });
}

export const delivery = z.object({
  id: z.string(),
  webhookId: z.string(),
  eventId: z.string(),
  event: z.enum(eventTypes),
  status: z.enum(['pending', 'delivered', 'failed']),
  attempts: z.int(),
  responseStatus: z.int().nullable(),
  error: z.string().nullable(),
  createdAt: time,
  nextAttemptAt: time.nullable().describe('While pending'),
  deliveredAt: time.nullable(),
});

export function viewDelivery(row: DeliveryRow & { type: EventType }): z.input<typeof delivery> {
  return {
    id: row.id,
    webhookId: row.webhook_id,
    eventId: row.event_id,
    event: row.type,
    status: row.status,
    attempts: row.attempts,
    responseStatus: row.response_status,
    error: row.error,
    createdAt: isoTime(row.created_at),
    nextAttemptAt: row.status === 'pending' ? isoTime(row.next_attempt_at) : null,
    deliveredAt: row.delivered_at === null ? null : isoTime(row.delivered_at),
  };
}

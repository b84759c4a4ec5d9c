import type { Block } from '../output/output.ts';

export type Webhook = { id: string; url: string; events: string[]; createdAt: string };

export type Delivery = {
  id: string;
  event: string;
  status: string;
  attempts: number;
  responseStatus: number | null;
  error: string | null;
  createdAt: string;
  nextAttemptAt: string | null;
};

export function webhookTable(webhooks: readonly Webhook[]): Block {
  return {
    kind: 'table',
    columns: ['id', 'url', 'events', 'created'],
    rows: webhooks.map(({ id, url, events, createdAt }) => [id, url, events.join(' '), createdAt]),
    empty: 'No webhooks yet.',
  };
}

export function deliveryTable(deliveries: readonly Delivery[]): Block {
  return {
    kind: 'table',
    columns: ['id', 'event', 'status', 'attempts', 'answer', 'created', 'next'],
    rows: deliveries.map((delivery) => [
      delivery.id,
      delivery.event,
      delivery.status,
      String(delivery.attempts),
      delivery.error ?? (delivery.responseStatus === null ? '' : String(delivery.responseStatus)),
      delivery.createdAt,
      delivery.nextAttemptAt ?? '',
    ]),
    empty: 'Nothing was sent in the last 30 days.',
  };
}

import type { Block } from '../output/output.ts';

export type Webhook = {
  id: string;
  url: string;
  events: string[];
  createdAt: string;
  failingSince: string | null;
  disabledAt: string | null;
};

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
    columns: ['id', 'url', 'events', 'created', 'state'],
    rows: webhooks.map((webhook) => [
      webhook.id,
      webhook.url,
      webhook.events.join(' '),
      webhook.createdAt,
      stateOf(webhook),
    ]),
    empty: 'No webhooks yet.',
  };
}

function stateOf({ failingSince, disabledAt }: Webhook): string {
  if (disabledAt !== null) return `off since ${disabledAt}`;
  return failingSince === null ? 'on' : `failing since ${failingSince}`;
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

/** What webhooks can be told of. */
export const eventTypes = [
  'input.live',
  'input.idle',
  'input.errored',
  'asset.ready',
  'asset.errored',
  'key.rotated',
  'webhook.disabled',
] as const;
export type EventType = (typeof eventTypes)[number];

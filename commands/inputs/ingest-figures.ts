import type { Block } from '../output/output.ts';

/** How each figure is named and shown, in this order. */
const figures: readonly (readonly [field: string, label: string, show: (value: number) => string])[] = [
  ['bitrate', 'Bitrate', (value) => `${Math.round(value / 1000)} kbit/s`],
  ['fps', 'Frame rate', (value) => `${value} fps`],
  ['keyframeIntervalMs', 'Keyframe every', (value) => `${value} ms`],
  ['driftMs', 'Clock drift', (value) => `${value} ms`],
  ['avSkewMs', 'Pictures ahead of sound', (value) => `${value} ms`],
  ['missingPackets', 'Missing at first', String],
  ['retransmitRequests', 'Asked for again', String],
  ['retransmittedPackets', 'Came on request', String],
  ['lostPackets', 'Lost packets', String],
  ['rttMs', 'Round trip', (value) => `${value} ms`],
  ['jitterMs', 'Jitter', (value) => `${value} ms`],
];

/** What the engine measures of an ingest, and what went wrong last, for a person. */
export function ingestBlocks(stats: Readonly<Record<string, unknown>> | undefined, error: string | undefined): Block[] {
  const rows: [string, string][] = [];
  if (typeof stats?.publisher === 'string') rows.push(['Encoder', stats.publisher]);
  else if (stats !== undefined) rows.push(['Encoder', 'gone; waiting for it to come back']);
  for (const [field, label, show] of figures) {
    const value = stats?.[field];
    if (typeof value === 'number') rows.push([label, show(value)]);
  }
  const { relayDroppedObjects: dropped, relayDroppedGroups: groups } = stats ?? {};
  if (typeof dropped === 'number' && dropped > 0)
    rows.push(['Line to the relay', `too slow: ${dropped} objects in ${groups} groups given up`]);
  if (stats?.relayConnected === false) rows.push(['Relay', 'not connected']);
  if (typeof stats?.lastError === 'string') rows.push(['Last error', stats.lastError]);
  if (error !== undefined) rows.push(['Error', error]);
  return rows.length === 0 ? [] : [{ kind: 'fields', rows }];
}

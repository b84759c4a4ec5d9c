import { z } from 'zod';
import { defineOperation } from '../define.ts';
import { inputId, isoTime, orgId, time } from '../fields.ts';
import { findLiveInput, liveInput } from './view.ts';

export const liveInputsStatus = defineOperation({
  name: 'liveInputs.status',
  kind: 'query',
  summary: 'Say whether a live input is on air, since when, and what its ingest measures',
  scope: 'streams:read',
  input: z.object({ orgId, id: inputId }),
  output: z.object({
    id: z.string(),
    status: liveInput.shape.status,
    enabled: z.boolean(),
    since: time.describe('When the status became what it is'),
    error: z.string().nullable().describe('Why the engine gave up, while errored'),
    stats: z
      .record(z.string(), z.unknown())
      .nullable()
      .describe('As the engine reports them, e.g. bitrate (bit/s), fps, keyframeIntervalMs; null while not live'),
    statsAt: time.nullable(),
  }),
  rest: { method: 'GET', path: '/live-inputs/{id}/status' },
  async run(call, { id }) {
    const row = await findLiveInput(call, id);
    const measured = row.status === 'live' && row.ingest_stats !== null;
    return {
      id,
      status: row.status,
      enabled: row.disabled_at === null,
      since: isoTime(row.status_changed_at),
      error: row.status === 'errored' ? row.error_reason : null,
      stats: measured ? (JSON.parse(row.ingest_stats!) as Record<string, unknown>) : null,
      statsAt: measured && row.ingest_stats_at !== null ? isoTime(row.ingest_stats_at) : null,
    };
  },
});

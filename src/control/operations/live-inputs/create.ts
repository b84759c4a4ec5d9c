import { z } from 'zod';
import { StreamsError } from '../../../core/errors.ts';
import { newId, newKey } from '../../../core/ids.ts';
import { formatLadder, parseLadder } from '../../../core/ladder.ts';
import { hashSecret } from '../../auth/secrets.ts';
import { requireRoom } from '../../quotas.ts';
import type { LiveInputRow } from '../../store/schema.ts';
import { isUniqueViolation } from '../../store/unique-violation.ts';
import { defineOperation } from '../define.ts';
import { ladder, name, orgId } from '../fields.ts';
import { ingestKind, liveInputWithKey, publishUrls, storeStreamKey, viewLiveInput, viewPublishUrls } from './view.ts';

export const liveInputsCreate = defineOperation({
  name: 'liveInputs.create',
  kind: 'mutation',
  summary: 'Create a live input and its stream key',
  scope: 'streams:write',
  input: z.object({
    orgId,
    name,
    ingest: ingestKind.default('rtmp'),
    external_input_id: name.nullable().optional().describe('Your own name for it, unique in the org'),
    record: z.boolean().default(false).describe('Keep each broadcast as an asset'),
    ladder: ladder.default('none'),
  }),
  output: liveInputWithKey,
  rest: { method: 'POST', path: '/live-inputs', adds: { output: publishUrls, from: viewPublishUrls } },
  target: (_input, output) => output.id,
  async run({ context, db, caller }, input) {
    await requireRoom(db, caller.orgId, 'inputs');
    const now = context.now();
    const streamKey = newKey('sk_live');
    const row: LiveInputRow = {
      id: newId('lv'),
      org_id: caller.orgId,
      external_input_id: input.external_input_id ?? null,
      name: input.name,
      ingest: input.ingest,
      status: 'idle',
      engine_id: null,
      claimed_until: null,
      status_changed_at: now,
      created_at: now,
      updated_at: now,
      disabled_at: null,
      error_reason: null,
      ingest_stats: null,
      ingest_stats_at: null,
      record: input.record ? 1 : 0,
      ladder: formatLadder(parseLadder(input.ladder)),
    };
    try {
      await db.insertInto('live_inputs').values(row).execute();
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw new StreamsError('CONFLICT', 'another live input has this external_input_id');
    }
    await storeStreamKey(db, row.id, hashSecret(streamKey), now);
    return { ...viewLiveInput(row), stream_key_cleartext: streamKey };
  },
});

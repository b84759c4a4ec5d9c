import { z } from 'zod';
import { assetStates } from '../../../contract/asset-state.ts';
import { StreamsError } from '../../../core/errors.ts';
import type { AssetRow } from '../../store/schema.ts';
import type { Call } from '../define.ts';
import { isoTime, time } from '../fields.ts';

export const asset = z.object({
  id: z.string(),
  playbackId: z.string().describe('To watch it by, without telling its id'),
  external_asset_id: z.string().nullable(),
  inputId: z.string().nullable().describe('The live input it was recorded from'),
  name: z.string(),
  status: z.enum(assetStates),
  percent: z.int().describe('While processing'),
  error: z.string().nullable().describe('Why, when errored'),
  durationMs: z.int().nullable(),
  bytes: z.int().nullable(),
  createdAt: time,
  updatedAt: time,
});

export function viewAsset(row: AssetRow): z.input<typeof asset> {
  return {
    id: row.id,
    playbackId: row.playback_id,
    external_asset_id: row.external_asset_id,
    inputId: row.input_id,
    name: row.name,
    status: row.status,
    percent: row.percent,
    error: row.error_reason,
    durationMs: row.duration_ms,
    bytes: row.bytes,
    createdAt: isoTime(row.created_at),
    updatedAt: isoTime(row.updated_at),
  };
}

/** Throws NOT_FOUND for an asset of another org too. */
export async function findAsset({ db, caller }: Call, id: string): Promise<AssetRow> {
  const row = await db
    .selectFrom('assets')
    .selectAll()
    .where('id', '=', id)
    .where('org_id', '=', caller.orgId)
    .executeTakeFirst();
  if (row) return row;
  throw new StreamsError('NOT_FOUND', `there is no asset ${id}`, { hint: 'List them: streams assets list' });
}

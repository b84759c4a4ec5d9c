import { z } from 'zod';
import { StreamsError } from '../../core/errors.ts';
import { newId } from '../../core/ids.ts';
import type { AssetRow } from '../store/schema.ts';
import { isUniqueViolation } from '../store/unique-violation.ts';
import { asset, viewAsset } from './asset-view.ts';
import { defineOperation } from './define.ts';
import { name, orgId } from './fields.ts';

export const assetsCreate = defineOperation({
  name: 'assets.create',
  kind: 'mutation',
  summary: 'Create an asset whose media is to be uploaded',
  scope: 'streams:write',
  input: z.object({
    orgId,
    name,
    external_asset_id: name.nullable().optional().describe('Your own name for it, unique in the org'),
  }),
  output: asset,
  rest: { method: 'POST', path: '/assets' },
  target: (_input, output) => output.id,
  async run({ context, db, caller }, input) {
    const now = context.now();
    const row: AssetRow = {
      id: newId('as'),
      org_id: caller.orgId,
      playback_id: newId('pb'),
      external_asset_id: input.external_asset_id ?? null,
      input_id: null,
      name: input.name,
      status: 'uploading',
      percent: 0,
      error_reason: null,
      duration_ms: null,
      bytes: null,
      created_at: now,
      updated_at: now,
    };
    try {
      await db.insertInto('assets').values(row).execute();
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw new StreamsError('CONFLICT', 'another asset has this external_asset_id');
    }
    return viewAsset(row);
  },
});

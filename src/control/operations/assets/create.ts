import { z } from 'zod';
import { StreamsError } from '../../../core/errors.ts';
import { newAsset } from '../../asset-state.ts';
import { requireRoom } from '../../quotas.ts';
import { isUniqueViolation } from '../../store/unique-violation.ts';
import { defineOperation } from '../define.ts';
import { name, orgId } from '../fields.ts';
import { asset, viewAsset } from './view.ts';

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
    await requireRoom(db, caller.orgId, 'assets');
    await requireRoom(db, caller.orgId, 'unfinishedUploads');
    const external_asset_id = input.external_asset_id ?? null;
    const about = { org_id: caller.orgId, external_asset_id, input_id: null, name: input.name };
    const row = newAsset(about, context.now());
    try {
      await db.insertInto('assets').values(row).execute();
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw new StreamsError('CONFLICT', 'another asset has this external_asset_id');
    }
    return viewAsset(row);
  },
});

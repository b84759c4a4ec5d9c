import { z } from 'zod';
import { StreamsError } from '../../../core/errors.ts';
import { isUniqueViolation } from '../../store/unique-violation.ts';
import { defineOperation } from '../define.ts';
import { assetId, name, orgId } from '../fields.ts';
import { asset, findAsset, viewAsset } from './view.ts';

export const assetsUpdate = defineOperation({
  name: 'assets.update',
  kind: 'mutation',
  summary: 'Change the name or the external id of an asset',
  scope: 'streams:write',
  input: z.object({
    orgId,
    id: assetId,
    name: name.optional(),
    external_asset_id: name.nullable().optional().describe('null takes it away'),
  }),
  output: asset,
  rest: { method: 'PATCH', path: '/assets/{id}' },
  target: ({ id }) => id,
  async run(call, { id, name, external_asset_id }) {
    const row = await findAsset(call, id);
    const changes = {
      name: name ?? row.name,
      external_asset_id: external_asset_id === undefined ? row.external_asset_id : external_asset_id,
      updated_at: call.context.now(),
    };
    try {
      await call.db.updateTable('assets').set(changes).where('id', '=', id).execute();
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw new StreamsError('CONFLICT', 'another asset has this external_asset_id');
    }
    return viewAsset({ ...row, ...changes });
  },
});

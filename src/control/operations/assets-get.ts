import { z } from 'zod';
import { asset, findAsset, viewAsset } from './asset-view.ts';
import { defineOperation } from './define.ts';
import { assetId, orgId } from './fields.ts';

export const assetsGet = defineOperation({
  name: 'assets.get',
  kind: 'query',
  summary: 'Get one asset',
  scope: 'streams:read',
  input: z.object({ orgId, id: assetId }),
  output: asset,
  rest: { method: 'GET', path: '/assets/{id}' },
  async run(call, { id }) {
    return viewAsset(await findAsset(call, id));
  },
});

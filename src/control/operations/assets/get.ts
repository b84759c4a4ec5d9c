import { z } from 'zod';
import { defineOperation } from '../define.ts';
import { assetId, orgId } from '../fields.ts';
import { asset, findAsset, viewAsset } from './view.ts';

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

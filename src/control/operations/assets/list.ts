import { z } from 'zod';
import { newestFirst } from '../../store/page.ts';
import { defineOperation } from '../define.ts';
import { listOf, orgId, page } from '../fields.ts';
import { asset, viewAsset } from './view.ts';

export const assetsList = defineOperation({
  name: 'assets.list',
  kind: 'query',
  long: true,
  summary: 'List assets, newest first',
  scope: 'streams:read',
  input: z.object({ orgId, ...page, status: asset.shape.status.optional() }),
  output: listOf(asset),
  rest: { method: 'GET', path: '/assets' },
  async run({ db, caller }, { cursor, limit, status }) {
    let query = db.selectFrom('assets').selectAll().where('org_id', '=', caller.orgId);
    if (status) query = query.where('status', '=', status);
    return newestFirst(query, { at: 'created_at', id: 'id' }, { cursor, limit }, viewAsset);
  },
});

import { z } from 'zod';
import { decodeCursor, toPage } from '../store/page.ts';
import { asset, viewAsset } from './asset-view.ts';
import { defineOperation } from './define.ts';
import { listOf, orgId, page } from './fields.ts';

export const assetsList = defineOperation({
  name: 'assets.list',
  kind: 'query',
  summary: 'List assets, newest first',
  scope: 'streams:read',
  input: z.object({ orgId, ...page, status: asset.shape.status.optional() }),
  output: listOf(asset),
  rest: { method: 'GET', path: '/assets' },
  async run({ db, caller }, { cursor, limit, status }) {
    let query = db.selectFrom('assets').selectAll().where('org_id', '=', caller.orgId);
    if (status) query = query.where('status', '=', status);
    if (cursor !== undefined) {
      const { at, id } = decodeCursor(cursor);
      query = query.where((eb) =>
        eb.or([eb('created_at', '<', at), eb.and([eb('created_at', '=', at), eb('id', '<', id)])]),
      );
    }
    const rows = await query
      .orderBy('created_at', 'desc')
      .orderBy('id', 'desc')
      .limit(limit + 1)
      .execute();
    return toPage(rows, limit, (row) => ({ at: row.created_at, id: row.id }), viewAsset);
  },
});

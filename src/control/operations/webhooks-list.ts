import { z } from 'zod';
import { decodeCursor, toPage } from '../store/page.ts';
import { defineOperation } from './define.ts';
import { listOf, orgId, page } from './fields.ts';
import { viewWebhook, webhook } from './webhook-view.ts';

export const webhooksList = defineOperation({
  name: 'webhooks.list',
  kind: 'query',
  summary: 'List webhooks, newest first; never their secrets',
  scope: 'streams:read',
  input: z.object({ orgId, ...page }),
  output: listOf(webhook),
  rest: { method: 'GET', path: '/webhooks' },
  async run({ db, caller }, { cursor, limit }) {
    let query = db.selectFrom('webhooks').selectAll().where('org_id', '=', caller.orgId);
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
    return toPage(rows, limit, (row) => ({ at: row.created_at, id: row.id }), viewWebhook);
  },
});

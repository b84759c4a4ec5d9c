import { z } from 'zod';
import { decodeCursor, toPage } from '../store/page.ts';
import { apiKey, viewApiKey } from './api-key-view.ts';
import { defineOperation } from './define.ts';
import { listOf, orgId, page } from './fields.ts';

export const apiKeysList = defineOperation({
  name: 'apiKeys.list',
  kind: 'query',
  summary: 'List API keys, newest first; never their cleartext',
  scope: 'streams:admin',
  input: z.object({ orgId, ...page }),
  output: listOf(apiKey),
  rest: { method: 'GET', path: '/api-keys' },
  async run({ db, caller }, { cursor, limit }) {
    let query = db.selectFrom('api_keys').selectAll().where('org_id', '=', caller.orgId);
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
    return toPage(rows, limit, (row) => ({ at: row.created_at, id: row.id }), viewApiKey);
  },
});

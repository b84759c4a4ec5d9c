import { z } from 'zod';
import { newestFirst } from '../../store/page.ts';
import { defineOperation } from '../define.ts';
import { listOf, orgId, page } from '../fields.ts';
import { apiKey, viewApiKey } from './view.ts';

export const apiKeysList = defineOperation({
  name: 'apiKeys.list',
  kind: 'query',
  summary: 'List API keys, newest first; never their cleartext',
  scope: 'streams:admin',
  input: z.object({ orgId, ...page }),
  output: listOf(apiKey),
  rest: { method: 'GET', path: '/api-keys' },
  async run({ db, caller }, { cursor, limit }) {
    const query = db.selectFrom('api_keys').selectAll().where('org_id', '=', caller.orgId);
    return newestFirst(query, { at: 'created_at', id: 'id' }, { cursor, limit }, viewApiKey);
  },
});

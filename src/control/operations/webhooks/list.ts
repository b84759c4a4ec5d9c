import { z } from 'zod';
import { newestFirst } from '../../store/page.ts';
import { defineOperation } from '../define.ts';
import { listOf, orgId, page } from '../fields.ts';
import { viewWebhook, webhook } from './view.ts';

export const webhooksList = defineOperation({
  name: 'webhooks.list',
  kind: 'query',
  summary: 'List webhooks, newest first; never their secrets',
  scope: 'streams:read',
  input: z.object({ orgId, ...page }),
  output: listOf(webhook),
  rest: { method: 'GET', path: '/webhooks' },
  async run({ db, caller }, { cursor, limit }) {
    const query = db.selectFrom('webhooks').selectAll().where('org_id', '=', caller.orgId);
    return newestFirst(query, { at: 'created_at', id: 'id' }, { cursor, limit }, viewWebhook);
  },
});

import { z } from 'zod';
import { newestFirst } from '../../store/page.ts';
import { defineOperation } from '../define.ts';
import { listOf, orgId, page } from '../fields.ts';
import { signingKey, viewSigningKey } from './view.ts';

export const signingKeysList = defineOperation({
  name: 'signingKeys.list',
  kind: 'query',
  summary: 'List signing keys, newest first',
  scope: 'streams:read',
  input: z.object({ orgId, ...page, status: signingKey.shape.status.optional() }),
  output: listOf(signingKey),
  rest: { method: 'GET', path: '/signing-keys' },
  async run({ context, db, caller }, { cursor, limit, status }) {
    const now = context.now();
    let query = db.selectFrom('signing_keys').selectAll().where('org_id', '=', caller.orgId);
    if (status === 'active')
      query = query
        .where('status', '=', 'active')
        .where((eb) => eb.or([eb('deactivated_at', 'is', null), eb('deactivated_at', '>', now)]));
    if (status === 'inactive')
      query = query.where((eb) => eb.or([eb('status', '=', 'inactive'), eb('deactivated_at', '<=', now)]));
    return newestFirst(query, { at: 'created_at', id: 'kid' }, { cursor, limit }, (row) => viewSigningKey(row, now));
  },
});

import { z } from 'zod';
import { decodeCursor, toPage } from '../store/page.ts';
import { defineOperation } from './define.ts';
import { listOf, orgId, page } from './fields.ts';
import { signingKey, viewSigningKey } from './signing-key-view.ts';

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
    if (cursor !== undefined) {
      const { at, id } = decodeCursor(cursor);
      query = query.where((eb) =>
        eb.or([eb('created_at', '<', at), eb.and([eb('created_at', '=', at), eb('kid', '<', id)])]),
      );
    }
    const rows = await query
      .orderBy('created_at', 'desc')
      .orderBy('kid', 'desc')
      .limit(limit + 1)
      .execute();
    return toPage(
      rows,
      limit,
      (row) => ({ at: row.created_at, id: row.kid }),
      (row) => viewSigningKey(row, now),
    );
  },
});

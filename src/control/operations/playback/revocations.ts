import { z } from 'zod';
import { newestFirst } from '../../store/page.ts';
import { defineOperation } from '../define.ts';
import { listOf, orgId, page } from '../fields.ts';
import { revocation, viewRevocation } from './revocation-view.ts';

export const playbackRevocations = defineOperation({
  name: 'playback.listRevocations',
  kind: 'query',
  long: true,
  summary: 'List revocations that still matter, newest first',
  scope: 'streams:read',
  input: z.object({ orgId, ...page, kind: revocation.shape.kind.optional() }),
  output: listOf(revocation),
  rest: { method: 'GET', path: '/playback/revocations' },
  async run({ context, db, caller }, { cursor, limit, kind }) {
    let query = db
      .selectFrom('revocations')
      .selectAll()
      .where('org_id', '=', caller.orgId)
      .where('expires_at', '>', context.now());
    if (kind) query = query.where('kind', '=', kind);
    return newestFirst(query, { at: 'at', id: 'id' }, { cursor, limit }, viewRevocation);
  },
});

import { z } from 'zod';
import { localOrgId } from '../../core/ids.ts';
import { decodeCursor, toPage } from '../store/page.ts';
import { defineOperation } from './define.ts';
import { listOf, orgId, page } from './fields.ts';
import { org, viewOrg } from './org-view.ts';

export const orgsList = defineOperation({
  name: 'orgs.list',
  kind: 'query',
  summary: 'List orgs, newest first: all of them to the local org, which runs the installation, else only the own one',
  scope: 'streams:admin',
  input: z.object({ orgId, ...page }),
  output: listOf(org),
  rest: { method: 'GET', path: '/orgs' },
  async run({ db, caller }, { cursor, limit }) {
    let query = db.selectFrom('orgs').selectAll();
    if (caller.orgId !== localOrgId) query = query.where('id', '=', caller.orgId);
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
    return toPage(rows, limit, (row) => ({ at: row.created_at, id: row.id }), viewOrg);
  },
});

import { z } from 'zod';
import { localOrgId } from '../../../core/ids.ts';
import { newestFirst } from '../../store/page.ts';
import { defineOperation } from '../define.ts';
import { listOf, orgId, page } from '../fields.ts';
import { org, viewOrg } from './view.ts';

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
    return newestFirst(query, { at: 'created_at', id: 'id' }, { cursor, limit }, viewOrg);
  },
});

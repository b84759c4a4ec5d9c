import { z } from 'zod';
import { defineOperation } from '../define.ts';
import { orgId } from '../fields.ts';
import { org, viewOrg } from './view.ts';

export const orgsGet = defineOperation({
  name: 'orgs.get',
  kind: 'query',
  summary: "Get the key's own org",
  scope: 'streams:read',
  input: z.object({ orgId }),
  output: org,
  rest: { method: 'GET', path: '/org' },
  async run({ db, caller }) {
    return viewOrg(await db.selectFrom('orgs').selectAll().where('id', '=', caller.orgId).executeTakeFirstOrThrow());
  },
});

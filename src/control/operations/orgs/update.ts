import { z } from 'zod';
import { defineOperation } from '../define.ts';
import { name, orgId } from '../fields.ts';
import { org, viewOrg } from './view.ts';

export const orgsUpdate = defineOperation({
  name: 'orgs.update',
  kind: 'mutation',
  summary: "Rename the key's own org",
  scope: 'streams:admin',
  input: z.object({ orgId, name }),
  output: org,
  rest: { method: 'PATCH', path: '/org' },
  target: (_input, output) => output.id,
  async run({ db, caller }, { name }) {
    const row = await db
      .updateTable('orgs')
      .set({ name })
      .where('id', '=', caller.orgId)
      .returningAll()
      .executeTakeFirstOrThrow();
    return viewOrg(row);
  },
});

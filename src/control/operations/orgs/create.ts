import { z } from 'zod';
import { StreamsError } from '../../../core/errors.ts';
import { localOrgId, newId } from '../../../core/ids.ts';
import { makeApiKey } from '../../auth/api-key.ts';
import { scopes } from '../../context.ts';
import { defineOperation } from '../define.ts';
import { name, orgId } from '../fields.ts';
import { org, viewOrg } from './view.ts';

export const orgsCreate = defineOperation({
  name: 'orgs.create',
  kind: 'mutation',
  summary: 'Create an org and its first admin key; only for keys of the local org, which runs the installation',
  scope: 'streams:admin',
  input: z.object({ orgId, name }),
  output: org.extend({ api_key_cleartext: z.string().describe('Shown this once; the server keeps a hash') }),
  rest: { method: 'POST', path: '/orgs' },
  target: (_input, output) => output.id,
  async run({ context, db, caller }, { name }) {
    if (caller.orgId !== localOrgId)
      throw new StreamsError('FORBIDDEN', 'only the local org, which runs the installation, makes orgs');
    const now = context.now();
    const row = { id: newId('org'), name, created_at: now };
    await db.insertInto('orgs').values(row).execute();
    const key = makeApiKey({ orgId: row.id, name: 'first admin', scopes, now, expiresAt: null });
    await db.insertInto('api_keys').values(key.row).execute();
    return { ...viewOrg(row), api_key_cleartext: key.cleartext };
  },
});

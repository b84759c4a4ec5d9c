import { z } from 'zod';
import { StreamsError } from '../../core/errors.ts';
import { defineOperation } from './define.ts';
import { orgId, signingKeyId } from './fields.ts';
import { signingKey, viewSigningKey } from './signing-key-view.ts';

export const signingKeysDeactivate = defineOperation({
  name: 'signingKeys.deactivate',
  kind: 'mutation',
  summary: 'Take a signing key out of the JWKS; tokens signed with it stop working',
  scope: 'streams:admin',
  input: z.object({ orgId, id: signingKeyId }),
  output: signingKey,
  rest: { method: 'POST', path: '/signing-keys/{id}/deactivate' },
  target: ({ id }) => id,
  async run({ context, db, caller }, { id }) {
    const row = await db
      .selectFrom('signing_keys')
      .selectAll()
      .where('kid', '=', id)
      .where('org_id', '=', caller.orgId)
      .executeTakeFirst();
    if (!row) throw new StreamsError('NOT_FOUND', `there is no signing key ${id}`);
    if (row.status === 'inactive') return viewSigningKey(row);
    await db
      .updateTable('signing_keys')
      .set({ status: 'inactive', deactivated_at: context.now() })
      .where('kid', '=', id)
      .execute();
    return viewSigningKey({ ...row, status: 'inactive' });
  },
});

import { z } from 'zod';
import { defineOperation } from '../define.ts';
import { orgId, signingKeyId } from '../fields.ts';
import { findSigningKey, signingKey, viewSigningKey } from './view.ts';

export const signingKeysDeactivate = defineOperation({
  name: 'signingKeys.deactivate',
  kind: 'mutation',
  summary: 'Take a signing key out of the JWKS; tokens signed with it stop working',
  scope: 'streams:admin',
  input: z.object({ orgId, id: signingKeyId }),
  output: signingKey,
  rest: { method: 'POST', path: '/signing-keys/{id}/deactivate' },
  target: ({ id }) => id,
  async run(call, { id }) {
    const row = await findSigningKey(call, id);
    const now = call.context.now();
    if (row.status === 'inactive') return viewSigningKey(row, now);
    const changes = { status: 'inactive' as const, deactivated_at: now };
    await call.db.updateTable('signing_keys').set(changes).where('kid', '=', id).execute();
    return viewSigningKey({ ...row, ...changes }, now);
  },
});

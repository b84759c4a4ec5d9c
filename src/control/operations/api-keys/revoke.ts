import { z } from 'zod';
import { StreamsError } from '../../../core/errors.ts';
import { defineOperation } from '../define.ts';
import { apiKeyId, orgId } from '../fields.ts';
import { apiKey, viewApiKey } from './view.ts';

export const apiKeysRevoke = defineOperation({
  name: 'apiKeys.revoke',
  kind: 'mutation',
  summary: 'Revoke an API key; it stops working at once',
  scope: 'streams:admin',
  input: z.object({ orgId, id: apiKeyId }),
  output: apiKey,
  rest: { method: 'POST', path: '/api-keys/{id}/revoke' },
  target: ({ id }) => id,
  async run({ context, db, caller }, { id }) {
    const row = await db
      .selectFrom('api_keys')
      .selectAll()
      .where('id', '=', id)
      .where('org_id', '=', caller.orgId)
      .executeTakeFirst();
    if (!row) throw new StreamsError('NOT_FOUND', `there is no API key ${id}`);
    const revokedAt = row.revoked_at ?? context.now();
    await db.updateTable('api_keys').set({ revoked_at: revokedAt }).where('id', '=', id).execute();
    return viewApiKey({ ...row, revoked_at: revokedAt });
  },
});

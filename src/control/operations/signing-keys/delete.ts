import { z } from 'zod';
import { StreamsError } from '../../../core/errors.ts';
import { isActive } from '../../auth/signing-keys.ts';
import { defineOperation } from '../define.ts';
import { orgId, signingKeyId } from '../fields.ts';
import { findSigningKey } from './view.ts';

export const signingKeysDelete = defineOperation({
  name: 'signingKeys.delete',
  kind: 'mutation',
  summary: 'Delete a signing key; refused while it is active unless forced',
  scope: 'streams:admin',
  input: z.object({ orgId, id: signingKeyId, force: z.boolean().default(false) }),
  output: z.object({ id: z.string(), deleted: z.literal(true) }),
  rest: { method: 'DELETE', path: '/signing-keys/{id}' },
  target: ({ id }) => id,
  async run(call, { id, force }) {
    const row = await findSigningKey(call, id);
    if (isActive(row, call.context.now()) && !force)
      throw new StreamsError('CONFLICT', `${id} is active: its tokens would stop working`, {
        hint: 'Deactivate or rotate it first, or pass force.',
      });
    await call.db.deleteFrom('signing_keys').where('kid', '=', id).execute();
    return { id, deleted: true as const };
  },
});

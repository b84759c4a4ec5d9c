import { z } from 'zod';
import { StreamsError } from '../../../core/errors.ts';
import { endSrtKeys } from '../../auth/srt-passphrase.ts';
import { revoke } from '../../store/revocations.ts';
import { defineOperation } from '../define.ts';
import { inputId, orgId } from '../fields.ts';
import { findLiveInput } from './view.ts';

export const liveInputsDelete = defineOperation({
  name: 'liveInputs.delete',
  kind: 'mutation',
  summary: 'Delete a live input and its stream keys; refused while it is live unless forced',
  scope: 'streams:write',
  input: z.object({ orgId, id: inputId, force: z.boolean().default(false) }),
  output: z.object({ id: z.string(), deleted: z.literal(true) }),
  rest: { method: 'DELETE', path: '/live-inputs/{id}' },
  target: ({ id }) => id,
  async run(call, { id, force }) {
    const row = await findLiveInput(call, id);
    if (row.status === 'live' && !force)
      throw new StreamsError('CONFLICT', `${id} is live`, { hint: 'Stop the encoder first, or pass force.' });
    await call.db.deleteFrom('live_inputs').where('id', '=', id).execute();
    const now = call.context.now();
    await endSrtKeys(call.db, { orgId: row.org_id, inputId: id, endsAt: now });
    for (const kind of ['publish', 'input'] as const)
      await revoke(call.db, { orgId: row.org_id, kind, value: id, now });
    return { id, deleted: true as const };
  },
});

import { z } from 'zod';
import { revoke } from '../../store/revocations.ts';
import { defineOperation } from '../define.ts';
import { inputId, orgId } from '../fields.ts';
import { findLiveInput, liveInput, viewLiveInput } from './view.ts';

export const liveInputsDisable = defineOperation({
  name: 'liveInputs.disable',
  kind: 'mutation',
  summary: 'Refuse publishers from now on; one that is live is cut',
  scope: 'streams:write',
  input: z.object({ orgId, id: inputId }),
  output: liveInput,
  rest: { method: 'POST', path: '/live-inputs/{id}/disable' },
  target: ({ id }) => id,
  async run(call, { id }) {
    const row = await findLiveInput(call, id);
    if (row.disabled_at !== null) return viewLiveInput(row);
    const now = call.context.now();
    const changes = { disabled_at: now, updated_at: now };
    await call.db.updateTable('live_inputs').set(changes).where('id', '=', id).execute();
    await revoke(call.db, { orgId: row.org_id, kind: 'publish', value: id, now });
    return viewLiveInput({ ...row, ...changes });
  },
});

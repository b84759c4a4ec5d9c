import { z } from 'zod';
import { defineOperation } from '../define.ts';
import { inputId, orgId } from '../fields.ts';
import { findLiveInput, liveInput, viewLiveInput } from './view.ts';

export const liveInputsEnable = defineOperation({
  name: 'liveInputs.enable',
  kind: 'mutation',
  summary: 'Take publishers again',
  scope: 'streams:write',
  input: z.object({ orgId, id: inputId }),
  output: liveInput,
  rest: { method: 'POST', path: '/live-inputs/{id}/enable' },
  target: ({ id }) => id,
  async run(call, { id }) {
    const row = await findLiveInput(call, id);
    const changes = { disabled_at: null, updated_at: call.context.now() };
    await call.db.updateTable('live_inputs').set(changes).where('id', '=', id).execute();
    return viewLiveInput({ ...row, ...changes });
  },
});

import { z } from 'zod';
import { StreamsError } from '../../../core/errors.ts';
import { formatLadder, parseLadder } from '../../../core/ladder.ts';
import { isUniqueViolation } from '../../store/unique-violation.ts';
import { defineOperation } from '../define.ts';
import { inputId, ladder, name, orgId } from '../fields.ts';
import { findLiveInput, liveInput, viewLiveInput } from './view.ts';

export const liveInputsUpdate = defineOperation({
  name: 'liveInputs.update',
  kind: 'mutation',
  summary: 'Change the name, the external id or the renditions of a live input, or whether it is recorded',
  scope: 'streams:write',
  input: z.object({
    orgId,
    id: inputId,
    name: name.optional(),
    external_input_id: name.nullable().optional().describe('null takes it away'),
    record: z
      .boolean()
      .optional()
      .describe('Keep each broadcast as an asset; one that is live is recorded from now on, or no more'),
    ladder: ladder.optional(),
  }),
  output: liveInput,
  rest: { method: 'PATCH', path: '/live-inputs/{id}' },
  target: ({ id }) => id,
  async run(call, { id, name, external_input_id, record, ladder }) {
    const row = await findLiveInput(call, id);
    const changes = {
      name: name ?? row.name,
      external_input_id: external_input_id === undefined ? row.external_input_id : external_input_id,
      record: record === undefined ? row.record : record ? 1 : 0,
      ladder: ladder === undefined ? row.ladder : formatLadder(parseLadder(ladder)),
      updated_at: call.context.now(),
    };
    try {
      await call.db.updateTable('live_inputs').set(changes).where('id', '=', id).execute();
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw new StreamsError('CONFLICT', 'another live input has this external_input_id');
    }
    return viewLiveInput({ ...row, ...changes });
  },
});

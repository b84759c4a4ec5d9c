import { z } from 'zod';
import { newestFirst } from '../../store/page.ts';
import { defineOperation } from '../define.ts';
import { listOf, orgId, page } from '../fields.ts';
import { ingestKind, liveInput, viewLiveInput } from './view.ts';

export const liveInputsList = defineOperation({
  name: 'liveInputs.list',
  kind: 'query',
  long: true,
  summary: 'List live inputs, newest first',
  scope: 'streams:read',
  input: z.object({
    orgId,
    ...page,
    status: liveInput.shape.status.optional(),
    ingest: ingestKind.optional(),
  }),
  output: listOf(liveInput),
  rest: { method: 'GET', path: '/live-inputs' },
  async run({ context, db, caller }, { cursor, limit, status, ingest }) {
    await context.liveness.sweep();
    let query = db.selectFrom('live_inputs').selectAll().where('org_id', '=', caller.orgId);
    if (status) query = query.where('status', '=', status);
    if (ingest) query = query.where('ingest', '=', ingest);
    return newestFirst(query, { at: 'created_at', id: 'id' }, { cursor, limit }, viewLiveInput);
  },
});

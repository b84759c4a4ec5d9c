import { z } from 'zod';
import { defineOperation } from '../define.ts';
import { orgId } from '../fields.ts';
import { mediaId, reportedWithinMs } from './view.ts';

export const analyticsViewers = defineOperation({
  name: 'analytics.viewers',
  kind: 'query',
  long: true,
  summary: 'Count who is watching now, by input',
  scope: 'streams:read',
  input: z.object({ orgId, inputId: mediaId.optional() }),
  output: z.object({
    viewers: z.int(),
    items: z.array(z.object({ inputId: z.string(), viewers: z.int() })).describe('Most watched first, 200 at most'),
  }),
  rest: { method: 'GET', path: '/analytics/viewers' },
  async run({ context, db, caller }, { inputId }) {
    let query = db
      .selectFrom('viewer_sessions')
      .select((eb) => ['input_id', eb.fn.countAll<number>().as('viewers')])
      .where('org_id', '=', caller.orgId)
      .where('ended_at', 'is', null)
      .where('updated_at', '>', context.now() - reportedWithinMs);
    if (inputId !== undefined) query = query.where('input_id', '=', inputId);
    const rows = await query.groupBy('input_id').orderBy('viewers', 'desc').orderBy('input_id').execute();
    const items = rows.map((row) => ({ inputId: row.input_id, viewers: Number(row.viewers) }));
    return { viewers: items.reduce((sum, { viewers }) => sum + viewers, 0), items: items.slice(0, 200) };
  },
});

import { z } from 'zod';
import { newestFirst } from '../../store/page.ts';
import { defineOperation } from '../define.ts';
import { listOf, orgId, page } from '../fields.ts';
import { broadcastSession, mediaId, period, periodOf, viewBroadcastSession } from './view.ts';

export const analyticsBroadcasts = defineOperation({
  name: 'analytics.broadcasts',
  kind: 'query',
  long: true,
  summary: 'List broadcast sessions, newest first',
  scope: 'streams:read',
  input: z.object({ orgId, ...page, ...period, inputId: mediaId.optional() }),
  output: listOf(broadcastSession),
  rest: { method: 'GET', path: '/analytics/broadcasts' },
  async run({ context, db, caller }, { cursor, limit, inputId, ...asked }) {
    const { start, end } = periodOf(context, asked);
    let query = db
      .selectFrom('broadcast_sessions')
      .selectAll()
      .where('org_id', '=', caller.orgId)
      .where('started_at', '>=', start)
      .where('started_at', '<', end);
    if (inputId !== undefined) query = query.where('input_id', '=', inputId);
    return newestFirst(query, { at: 'started_at', id: 'id' }, { cursor, limit }, viewBroadcastSession);
  },
});

import { z } from 'zod';
import { newestFirst } from '../../store/page.ts';
import { defineOperation } from '../define.ts';
import { listOf, orgId, page, viewerId } from '../fields.ts';
import { mediaId, period, periodOf, viewerSession, viewViewerSession } from './view.ts';

export const analyticsViewerSessions = defineOperation({
  name: 'analytics.viewerSessions',
  kind: 'query',
  long: true,
  summary: 'List viewer sessions, newest first',
  scope: 'streams:read',
  input: z.object({ orgId, ...page, ...period, inputId: mediaId.optional(), viewerId: viewerId.optional() }),
  output: listOf(viewerSession),
  rest: { method: 'GET', path: '/analytics/viewer-sessions' },
  async run({ context, db, caller }, { cursor, limit, inputId, viewerId, ...asked }) {
    const { start, end } = periodOf(context, asked);
    let query = db
      .selectFrom('viewer_sessions')
      .selectAll()
      .where('org_id', '=', caller.orgId)
      .where('started_at', '>=', start)
      .where('started_at', '<', end);
    if (inputId !== undefined) query = query.where('input_id', '=', inputId);
    if (viewerId !== undefined) query = query.where('viewer', '=', viewerId);
    return newestFirst(query, { at: 'started_at', id: 'id' }, { cursor, limit }, viewViewerSession);
  },
});

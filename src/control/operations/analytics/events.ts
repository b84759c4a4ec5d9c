import { z } from 'zod';
import { newestFirst } from '../../store/page.ts';
import type { PlayerEventRow } from '../../store/schema.ts';
import { defineOperation } from '../define.ts';
import { isoTime, listOf, orgId, page, time, viewerId } from '../fields.ts';
import { mediaId, period, periodOf } from './view.ts';

const playerEvent = z.object({
  id: z.string(),
  type: z.string(),
  at: time,
  inputId: z.string().nullable(),
  viewerId: z.string().nullable(),
  data: z.record(z.string(), z.unknown()),
});

export const analyticsEvents = defineOperation({
  name: 'analytics.events',
  kind: 'query',
  long: true,
  summary: 'List what players reported to /v0/events, newest first',
  scope: 'streams:read',
  input: z.object({
    orgId,
    ...page,
    ...period,
    type: z.string().max(64).optional(),
    inputId: mediaId.optional(),
    viewerId: viewerId.optional(),
  }),
  output: listOf(playerEvent),
  rest: { method: 'GET', path: '/analytics/events' },
  async run({ context, db, caller }, { cursor, limit, type, inputId, viewerId, ...asked }) {
    const { start, end } = periodOf(context, asked);
    let query = db
      .selectFrom('player_events')
      .selectAll()
      .where('org_id', '=', caller.orgId)
      .where('at', '>=', start)
      .where('at', '<', end);
    if (type !== undefined) query = query.where('type', '=', type);
    if (inputId !== undefined) query = query.where('input_id', '=', inputId);
    if (viewerId !== undefined) query = query.where('viewer', '=', viewerId);
    return newestFirst(query, { at: 'at', id: 'id' }, { cursor, limit }, viewPlayerEvent);
  },
});

function viewPlayerEvent(row: PlayerEventRow): z.input<typeof playerEvent> {
  return {
    id: row.id,
    type: row.type,
    at: isoTime(row.at),
    inputId: row.input_id,
    viewerId: row.viewer,
    data: JSON.parse(row.data) as Record<string, unknown>,
  };
}

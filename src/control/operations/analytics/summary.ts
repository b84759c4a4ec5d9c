import { sql } from 'kysely';
import { z } from 'zod';
import { defineOperation } from '../define.ts';
import { isoTime, orgId } from '../fields.ts';
import { mediaId, period, periodOf } from './view.ts';

const dayMs = 86_400_000;
const maxItems = 1000;

const figures = z.object({
  sessions: z.int(),
  viewers: z.int().describe('Different viewer ids'),
  watchSeconds: z.number(),
  startupMs: z.number().nullable().describe('Mean time to the first media object'),
  startupMsMax: z.number().nullable(),
  dropped: z.int().describe('Objects not given to viewers since they were slow'),
  groupsDropped: z.int().describe('Groups given up for the same reason'),
  bytes: z.int(),
});

export const analyticsSummary = defineOperation({
  name: 'analytics.summary',
  kind: 'query',
  long: true,
  summary: 'Watch time, startup time and drops of a period, by input or asset, or by day (UTC)',
  scope: 'streams:read',
  input: z.object({ orgId, ...period, inputId: mediaId.optional(), by: z.enum(['input', 'day']).default('input') }),
  output: z.object({
    items: z
      .array(figures.extend({ inputId: z.string().optional(), day: z.iso.date().optional() }))
      .describe('Most watched first; days in their order; 1000 at most'),
  }),
  rest: { method: 'GET', path: '/analytics/summary' },
  async run({ context, db, caller }, { inputId, by, ...asked }) {
    const { start, end } = periodOf(context, asked);
    const group = sql<string | number>`${by === 'input' ? sql.ref('input_id') : sql`started_at / ${sql.lit(dayMs)}`}`;
    let query = db
      .selectFrom('viewer_sessions')
      .select([
        group.as('grouped'),
        sql<number>`count(*)`.as('sessions'),
        sql<number>`count(distinct viewer)`.as('viewers'),
        sql<number>`sum(coalesce(ended_at, updated_at) - started_at)`.as('watched'),
        sql<number | null>`avg(startup_ms)`.as('startup'),
        sql<number | null>`max(startup_ms)`.as('startup_max'),
        sql<number>`sum(dropped)`.as('dropped'),
        sql<number>`sum(groups_dropped)`.as('groups_dropped'),
        sql<number>`sum(bytes)`.as('bytes'),
      ])
      .where('org_id', '=', caller.orgId)
      .where('started_at', '>=', start)
      .where('started_at', '<', end)
      .groupBy('grouped')
      .orderBy(sql.ref(by === 'input' ? 'watched' : 'grouped'), by === 'input' ? 'desc' : 'asc')
      .limit(maxItems);
    if (inputId !== undefined) query = query.where('input_id', '=', inputId);
    const items = (await query.execute()).map((row) => ({
      ...(by === 'input'
        ? { inputId: String(row.grouped) }
        : { day: isoTime(Number(row.grouped) * dayMs).slice(0, 10) }),
      sessions: Number(row.sessions),
      viewers: Number(row.viewers),
      watchSeconds: Number(row.watched) / 1000,
      startupMs: row.startup === null ? null : Number(row.startup),
      startupMsMax: row.startup_max === null ? null : Number(row.startup_max),
      dropped: Number(row.dropped),
      groupsDropped: Number(row.groups_dropped),
      bytes: Number(row.bytes),
    }));
    return { items };
  },
});

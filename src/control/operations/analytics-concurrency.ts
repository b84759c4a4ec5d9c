import { z } from 'zod';
import { StreamsError } from '../../core/errors.ts';
import { mediaId, period, periodOf } from './analytics-view.ts';
import { defineOperation } from './define.ts';
import { isoTime, orgId, time } from './fields.ts';

const maxPoints = 2000;
const maxSessions = 200_000;

export const analyticsConcurrency = defineOperation({
  name: 'analytics.concurrency',
  kind: 'query',
  long: true,
  summary: 'Viewers at once over time: the peak of every step',
  scope: 'streams:read',
  input: z.object({
    orgId,
    ...period,
    inputId: mediaId.optional(),
    stepSeconds: z.int().min(1).max(86_400).default(3600),
  }),
  output: z.object({
    peak: z.int(),
    items: z.array(z.object({ at: time.describe('Begin of the step'), viewers: z.int() })),
  }),
  rest: { method: 'GET', path: '/analytics/concurrent-viewers' },
  async run({ context, db, caller }, { inputId, stepSeconds, ...asked }) {
    const { start, end } = periodOf(context, asked);
    const step = stepSeconds * 1000;
    if ((end - start) / step > maxPoints)
      throw new StreamsError('INVALID_ARGUMENT', `stepSeconds: more than ${maxPoints} steps in this period`);
    let query = db
      .selectFrom('viewer_sessions')
      .select(['started_at', 'ended_at', 'updated_at'])
      .where('org_id', '=', caller.orgId)
      .where('started_at', '<', end)
      .where('updated_at', '>=', start)
      .limit(maxSessions + 1);
    if (inputId !== undefined) query = query.where('input_id', '=', inputId);
    const sessions = await query.execute();
    if (sessions.length > maxSessions)
      throw new StreamsError(
        'LIMIT_EXCEEDED',
        `more than ${maxSessions} sessions in this period: ask for a shorter one`,
      );
    const spans = sessions.map((row) => ({ from: row.started_at, to: row.ended_at ?? row.updated_at }));
    const items = peaks(spans, start, end, step).map((viewers, i) => ({ at: isoTime(start + i * step), viewers }));
    return { peak: items.reduce((most, { viewers }) => Math.max(most, viewers), 0), items };
  },
});

/** The most spans that lie over one instant, for each step from `start` to `end`. A span covers both of its ends. */
export function peaks(
  spans: readonly { from: number; to: number }[],
  start: number,
  end: number,
  step: number,
): number[] {
  const changes = spans
    .filter(({ from, to }) => to >= from)
    .flatMap(({ from, to }) => [
      { at: from, by: 1 },
      { at: to, by: -1 },
    ])
    .sort((a, b) => a.at - b.at || b.by - a.by);
  const result: number[] = [];
  let next = 0;
  let now = 0;
  for (let begin = start; begin < end; begin += step) {
    while (next < changes.length && changes[next]!.at < begin) now += changes[next++]!.by;
    let most = now;
    const until = Math.min(end, begin + step);
    while (next < changes.length && changes[next]!.at < until) {
      now += changes[next++]!.by;
      most = Math.max(most, now);
    }
    result.push(most);
  }
  return result;
}

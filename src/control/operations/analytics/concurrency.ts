import { z } from 'zod';
import { StreamsError } from '../../../core/errors.ts';
import { peaks } from '../../store/peaks.ts';
import { defineOperation } from '../define.ts';
import { isoTime, orgId, time } from '../fields.ts';
import { mediaId, period, periodOf } from './view.ts';

const maxPoints = 2000;

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
    const viewers = await peaks(db, { orgId: caller.orgId, inputId, start, end, step });
    const items = viewers.map((count, i) => ({ at: isoTime(start + i * step), viewers: count }));
    return { peak: items.reduce((most, { viewers }) => Math.max(most, viewers), 0), items };
  },
});

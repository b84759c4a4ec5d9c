import type { Run } from '../command.ts';
import { queryOf } from './query.ts';
import type { concurrencySpec } from './specs.ts';

type Answer = { peak: number; items: { at: string; viewers: number }[] };

export const run: Run<typeof concurrencySpec> = async ({ options, output, api }) => {
  const stepSeconds = String(Math.max(1, Math.round((options.step ?? 3_600_000) / 1000)));
  const path = `/v1/analytics/concurrent-viewers${queryOf(options, { stepSeconds })}`;
  const { peak, items } = await (await api()).request<Answer>('GET', path);
  await output.result({
    json: { type: 'concurrency', peak, items },
    blocks: [
      {
        kind: 'table',
        columns: ['from', 'viewers'],
        rows: items.map(({ at, viewers }) => [at, String(viewers)]),
        empty: 'Nobody watched in this time.',
      },
    ],
  });
};

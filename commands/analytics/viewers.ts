import type { Run } from '../command.ts';
import { queryOf } from './query.ts';
import type { viewersSpec } from './specs.ts';

type Answer = { viewers: number; items: { inputId: string; viewers: number }[] };

export const run: Run<typeof viewersSpec> = async ({ options, output, api }) => {
  const { viewers, items } = await (await api()).request<Answer>('GET', `/v1/analytics/viewers${queryOf(options)}`);
  await output.result({
    json: { type: 'viewers', viewers, inputs: items },
    blocks: [
      {
        kind: 'table',
        columns: ['input', 'viewers'],
        rows: items.map((item) => [item.inputId, String(item.viewers)]),
        empty: 'Nobody is watching.',
      },
    ],
  });
};

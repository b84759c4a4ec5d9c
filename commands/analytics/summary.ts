import type { Run } from '../command.ts';
import { queryOf } from './query.ts';
import type { summarySpec } from './specs.ts';

type Figures = {
  inputId?: string;
  day?: string;
  sessions: number;
  viewers: number;
  watchSeconds: number;
  startupMs: number | null;
  dropped: number;
  bytes: number;
};

export const run: Run<typeof summarySpec> = async ({ options, output, api }) => {
  const by = options.by ?? 'input';
  const path = `/v1/analytics/summary${queryOf(options, { by })}`;
  const { items } = await (await api()).request<{ items: Figures[] }>('GET', path);
  await output.result({
    json: { type: 'analytics', by, items },
    blocks: [
      {
        kind: 'table',
        columns: [by, 'sessions', 'viewers', 'watched', 'startup', 'dropped', 'sent'],
        rows: items.map((item) => [
          item.inputId ?? item.day ?? '',
          String(item.sessions),
          String(item.viewers),
          `${(item.watchSeconds / 60).toFixed(1)} min`,
          item.startupMs === null ? '' : `${Math.round(item.startupMs)} ms`,
          String(item.dropped),
          `${(item.bytes / 1e6).toFixed(1)} MB`,
        ]),
        empty: 'Nobody watched in this time.',
      },
    ],
  });
};

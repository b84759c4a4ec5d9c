import type { Run } from '../command.ts';
import { queryOf } from './query.ts';
import type { broadcastsSpec } from './specs.ts';

type Broadcast = {
  id: string;
  inputId: string;
  startedAt: string;
  endedAt: string | null;
  seconds: number;
  bytes: number;
  reason: string | null;
  transport: string | null;
  version: string | null;
};

export const run: Run<typeof broadcastsSpec> = async ({ options, output, api }) => {
  const broadcasts = await (await api()).list<Broadcast>(`/v1/analytics/broadcasts${queryOf(options)}`);
  await output.result({
    json: { type: 'broadcasts', broadcasts },
    blocks: [
      {
        kind: 'table',
        columns: ['input', 'started', 'ended', 'lasted', 'sent', 'by', 'why'],
        rows: broadcasts.map((broadcast) => [
          broadcast.inputId,
          broadcast.startedAt,
          broadcast.endedAt ?? 'on air',
          `${(broadcast.seconds / 60).toFixed(1)} min`,
          `${(broadcast.bytes / 1e6).toFixed(1)} MB`,
          [broadcast.transport, broadcast.version].filter((each) => each !== null).join(' '),
          broadcast.reason ?? '',
        ]),
        empty: 'Nothing was on air in this time.',
      },
    ],
  });
};

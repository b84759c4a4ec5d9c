import type { Run } from '../command.ts';
import type { statusSpec } from './specs.ts';

type Status = {
  id: string;
  status: string;
  enabled: boolean;
  since: string;
  error: string | null;
  stats: Record<string, unknown> | null;
  statsAt: string | null;
};

export const run: Run<typeof statusSpec> = async ({ args, output, api }) => {
  const path = `/v1/live-inputs/${encodeURIComponent(args.id)}/status`;
  const status = await (await api()).request<Status>('GET', path);
  const { stats, error } = status;
  await output.result({
    json: { type: 'input-status', ...status },
    blocks: [
      {
        kind: 'fields',
        rows: [
          ['Input', status.id],
          ['Status', `${status.status}${status.enabled ? '' : ', disabled'} since ${status.since}`],
          ...(error === null ? [] : [['Error', error] as const]),
          ...Object.entries(stats ?? {}).map(([name, value]) => [name, String(value)] as const),
        ],
      },
    ],
  });
};

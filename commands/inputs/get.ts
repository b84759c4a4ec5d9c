import type { Run } from '../command.ts';
import { ingestBlocks } from './ingest-figures.ts';
import { hasLadder, inputFields, inputJson } from './shape.ts';
import type { getSpec } from './specs.ts';

type Status = { stats: Record<string, unknown> | null; error: string | null };

export const run: Run<typeof getSpec> = async ({ args, output, api }) => {
  const client = await api();
  const input = await client.getInput(args.id);
  // What there is to say of an ingest is said while it is on air, and of its end when that was a bad one.
  const known =
    input.status === 'idle' ? undefined : await client.request<Status>('GET', `/v1/live-inputs/${input.id}/status`);
  const stats = input.status === 'live' ? (known?.stats ?? undefined) : undefined;
  const said = hasLadder(input) && typeof stats?.renditions === 'string' ? stats.renditions : undefined;
  const error = known?.error ?? undefined;
  await output.result({
    json: {
      type: 'input',
      input: {
        ...inputJson(input),
        ...(said === undefined ? {} : { renditions: said }),
        ...(stats === undefined ? {} : { stats }),
        ...(error === undefined ? {} : { error }),
      },
    },
    blocks: [inputFields(input, said), ...ingestBlocks(stats, error)],
  });
};

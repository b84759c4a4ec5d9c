import type { Run } from '../command.ts';
import { hasLadder, inputFields, inputJson } from './shape.ts';
import type { getSpec } from './specs.ts';

export const run: Run<typeof getSpec> = async ({ args, output, api }) => {
  const client = await api();
  const input = await client.getInput(args.id);
  const renditions =
    hasLadder(input) && input.status === 'live'
      ? (await client.request<{ stats: { renditions?: unknown } | null }>('GET', `/v1/live-inputs/${input.id}/status`))
          .stats?.renditions
      : undefined;
  const said = typeof renditions === 'string' ? renditions : undefined;
  await output.result({
    json: { type: 'input', input: { ...inputJson(input), ...(said === undefined ? {} : { renditions: said }) } },
    blocks: [inputFields(input, said)],
  });
};

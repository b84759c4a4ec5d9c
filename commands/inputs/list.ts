import type { Run } from '../command.ts';
import { inputJson } from './shape.ts';
import type { listSpec } from './specs.ts';

export const run: Run<typeof listSpec> = async ({ output, api }) => {
  const inputs = await (await api()).listInputs();
  await output.result({
    json: { type: 'inputs', inputs: inputs.map(inputJson) },
    blocks: [
      {
        kind: 'table',
        columns: ['id', 'name', 'ingest', 'status', 'created'],
        rows: inputs.map(({ id, name, ingest, status, createdAt }) => [id, name, ingest, status, createdAt]),
        empty: 'No live inputs yet.',
      },
    ],
  });
  if (inputs.length === 0) output.next(['streams inputs create --name show']);
};

import type { Run } from '../command.ts';
import { confirm } from '../confirm.ts';
import type { deleteSpec } from './specs.ts';

export const run: Run<typeof deleteSpec> = async ({ args, options, output, api }) => {
  await confirm(output, {
    yes: options.yes,
    question: `Delete the asset ${args.id}? Who watches it is cut.`,
    command: `streams assets delete ${args.id}`,
  });
  await (await api()).request('DELETE', `/v1/assets/${encodeURIComponent(args.id)}`);
  await output.result({
    json: { type: 'deleted', id: args.id },
    blocks: [{ kind: 'text', text: `Deleted ${args.id}` }],
  });
};

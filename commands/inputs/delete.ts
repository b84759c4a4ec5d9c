import type { Run } from '../command.ts';
import { confirm } from '../confirm.ts';
import type { deleteSpec } from './specs.ts';

export const run: Run<typeof deleteSpec> = async ({ args, options, output, api }) => {
  const client = await api();
  const force = options.force === true;
  const named = options.yes !== true && output.interactive ? ` (${(await client.getInput(args.id)).name})` : '';
  await confirm(output, {
    yes: options.yes,
    question: `Delete ${args.id}${named} and its stream key?`,
    command: `streams inputs delete ${args.id}${force ? ' --force' : ''}`,
  });
  await client.deleteInput(args.id, force);
  await output.result({
    json: { type: 'deleted', id: args.id },
    blocks: [{ kind: 'text', text: `Deleted ${args.id}` }],
  });
};

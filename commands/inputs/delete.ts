import { StreamsError } from '../../src/core/errors.ts';
import type { Run } from '../command.ts';
import type { deleteSpec } from './specs.ts';

export const run: Run<typeof deleteSpec> = async ({ args, options, output, api }) => {
  const client = await api();
  if (options.yes !== true) {
    if (!output.interactive) {
      throw new StreamsError('USAGE', 'deleting an input wants a yes, and there is no terminal to ask on', {
        hint: `streams inputs delete ${args.id} --yes${output.json ? ' --json' : ''}`,
      });
    }
    const { name } = await client.getInput(args.id);
    if (!(await output.prompt.confirm({ message: `Delete ${args.id} (${name}) and its stream key?` }))) {
      throw new StreamsError('INTERRUPTED', 'nothing was deleted');
    }
  }
  await client.deleteInput(args.id, options.force === true);
  await output.result({
    json: { type: 'deleted', id: args.id },
    blocks: [{ kind: 'text', text: `Deleted ${args.id}` }],
  });
};

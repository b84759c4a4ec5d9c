import type { Run } from '../command.ts';
import { confirm } from '../confirm.ts';
import { keyPath } from './signing-key.ts';
import type { deleteSpec } from './specs.ts';

export const run: Run<typeof deleteSpec> = async ({ args, options, output, api }) => {
  const force = options.force === true;
  await confirm(output, {
    yes: options.yes,
    question: `Delete the signing key ${args.id}?`,
    command: `streams keys delete ${args.id}${force ? ' --force' : ''}`,
  });
  await (await api()).request('DELETE', `${keyPath(args.id)}${force ? '?force=true' : ''}`);
  await output.result({
    json: { type: 'deleted', id: args.id },
    blocks: [{ kind: 'text', text: `Deleted ${args.id}` }],
  });
};

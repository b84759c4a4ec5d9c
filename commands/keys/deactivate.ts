import type { Run } from '../command.ts';
import { confirm } from '../confirm.ts';
import { keyPath, keyResult, type SigningKey } from './signing-key.ts';
import type { deactivateSpec } from './specs.ts';

export const run: Run<typeof deactivateSpec> = async ({ args, options, output, api }) => {
  await confirm(output, {
    yes: options.yes,
    question: `Deactivate ${args.id}? Everyone who watches with a token of it is cut.`,
    command: `streams keys deactivate ${args.id}`,
  });
  await output.result(keyResult(await (await api()).request<SigningKey>('POST', keyPath(args.id, 'deactivate'))));
};

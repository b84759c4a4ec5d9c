import type { Run } from '../command.ts';
import { inputFields, inputJson } from './shape.ts';
import type { getSpec } from './specs.ts';

export const run: Run<typeof getSpec> = async ({ args, output, api }) => {
  const input = await (await api()).getInput(args.id);
  await output.result({ json: { type: 'input', input: inputJson(input) }, blocks: [inputFields(input)] });
};

import type { Run } from '../command.ts';
import type { Input } from '../connection/api-client.ts';
import { inputFields, inputJson } from './shape.ts';
import type { enableSpec } from './specs.ts';

export const run: Run<typeof enableSpec> = async ({ args, output, api }) => {
  const input = await (await api()).request<Input>('POST', `/v1/live-inputs/${encodeURIComponent(args.id)}/enable`);
  await output.result({ json: { type: 'input', input: inputJson(input) }, blocks: [inputFields(input)] });
};

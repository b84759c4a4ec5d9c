import type { Run } from '../command.ts';
import type { Input } from '../connection/api-client.ts';
import { inputFields, inputJson } from './shape.ts';
import type { disableSpec } from './specs.ts';

export const run: Run<typeof disableSpec> = async ({ args, output, api }) => {
  const input = await (await api()).request<Input>('POST', `/v1/live-inputs/${encodeURIComponent(args.id)}/disable`);
  await output.result({ json: { type: 'input', input: inputJson(input) }, blocks: [inputFields(input)] });
};

import { StreamsError } from '../../src/core/errors.ts';
import type { Run } from '../command.ts';
import type { Input } from '../connection/api-client.ts';
import { inputFields, inputJson } from './shape.ts';
import type { updateSpec } from './specs.ts';

export const run: Run<typeof updateSpec> = async ({ args, options, output, api }) => {
  const { name, ladder, record, externalId, clearExternalId } = options;
  if (externalId !== undefined && clearExternalId) {
    throw new StreamsError('USAGE', '--external-id and --clear-external-id exclude each other');
  }
  const changes = {
    ...(name === undefined ? {} : { name }),
    ...(ladder === undefined ? {} : { ladder }),
    ...(record === undefined ? {} : { record: record === 'on' }),
    ...(externalId === undefined ? {} : { external_input_id: externalId }),
    ...(clearExternalId ? { external_input_id: null } : {}),
  };
  if (Object.keys(changes).length === 0) {
    throw new StreamsError('USAGE', 'nothing to change', { hint: `streams inputs update ${args.id} --name "my show"` });
  }
  const input = await (await api()).request<Input>('PATCH', `/v1/live-inputs/${encodeURIComponent(args.id)}`, changes);
  await output.result({ json: { type: 'input', input: inputJson(input) }, blocks: [inputFields(input)] });
};

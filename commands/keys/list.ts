import type { Run } from '../command.ts';
import { keyTable, type SigningKey } from './signing-key.ts';
import type { listSpec } from './specs.ts';

export const run: Run<typeof listSpec> = async ({ output, api }) => {
  const keys = await (await api()).list<SigningKey>('/v1/signing-keys');
  await output.result({ json: { type: 'signing-keys', keys }, blocks: [keyTable(keys)] });
};

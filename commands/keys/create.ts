import type { Run } from '../command.ts';
import { keyResult, type SigningKey } from './signing-key.ts';
import type { createSpec } from './specs.ts';

export const run: Run<typeof createSpec> = async ({ options, output, api }) => {
  const body = { alg: options.alg ?? 'Ed25519' };
  await output.result(keyResult(await (await api()).request<SigningKey>('POST', '/v1/signing-keys', body)));
};

import { StreamsError } from '../../src/core/errors.ts';
import type { Run } from '../command.ts';
import { readSource } from '../inspect/source.ts';
import { keyResult, type SigningKey } from './signing-key.ts';
import type { importSpec } from './specs.ts';

const maxBytes = 16_384;

export const run: Run<typeof importSpec> = async ({ args, output, api, signal, stdin }) => {
  const publicKeyPem = Buffer.from(await readSource(args.file, maxBytes, { signal, stdin })).toString();
  if (publicKeyPem.includes('PRIVATE KEY')) {
    throw new StreamsError('INVALID_ARGUMENT', 'that is a private key; it stays with you', {
      hint: `openssl pkey -in ${args.file} -pubout | streams keys import -`,
    });
  }
  await output.result(
    keyResult(await (await api()).request<SigningKey>('POST', '/v1/signing-keys/import', { publicKeyPem })),
  );
};

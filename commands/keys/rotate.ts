import type { Run } from '../command.ts';
import { keyPath, keyResult, type SigningKey } from './signing-key.ts';
import type { rotateSpec } from './specs.ts';

export const run: Run<typeof rotateSpec> = async ({ args, options, output, api }) => {
  const body = options.overlap === undefined ? {} : { overlapSeconds: Math.round(options.overlap / 1000) };
  await output.result(keyResult(await (await api()).request<SigningKey>('POST', keyPath(args.id, 'rotate'), body)));
};

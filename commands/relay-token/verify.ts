import { StreamsError } from '../../src/core/errors.ts';
import { verifyRelayToken } from '../../src/serve/relay-token.ts';
import type { Run } from '../command.ts';
import { readKeyOption, readSecret } from './secret-input.ts';
import type { verifySpec } from './specs.ts';

export const run: Run<typeof verifySpec> = async ({ options, output }) => {
  const from = options.in ?? '-';
  if (options.key === '-' && from === '-') {
    throw new StreamsError('USAGE', 'key and token cannot both come from standard input', { hint: '--in viewer.jwt' });
  }
  const key = await readKeyOption(options.key, 'verify');
  const { root, publish, subscribe, expiresAt, cluster } = await verifyRelayToken(key, await readSecret(from));
  await output.result({
    json: {
      type: 'relay-token',
      root,
      publish,
      subscribe,
      ...(cluster && { cluster }),
      ...(expiresAt !== undefined && { expiresAt }),
    },
    blocks: [
      {
        kind: 'fields',
        rows: [
          ['Root', root === '' ? '/' : root],
          ['May publish', publish.join(', ') || 'nothing'],
          ['May subscribe', subscribe.join(', ') || 'nothing'],
          ...(cluster ? [['Cluster', 'a relay of the cluster'] as const] : []),
          ['Expires', expiresAt ?? 'never'],
        ],
      },
    ],
  });
};

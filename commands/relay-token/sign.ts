import { StreamsError } from '../../src/core/errors.ts';
import { signRelayToken, writeSecret } from '../../src/serve/relay-token.ts';
import type { Run } from '../command.ts';
import { readKeyOption } from './secret-input.ts';
import type { signSpec } from './specs.ts';

export const run: Run<typeof signSpec> = async ({ options, output }) => {
  const { root = '', publish = [], subscribe = [], cluster = false, expires, out } = options;
  const key = await readKeyOption(options.key, 'sign');
  if (publish.length + subscribe.length === 0) {
    throw new StreamsError('USAGE', 'a token must allow something', {
      hint: 'streams relay-token sign --key root.jwk --publish my-stream --subscribe ""',
    });
  }
  const token = await signRelayToken(key, {
    root,
    publish,
    subscribe,
    cluster,
    ...(expires !== undefined && { expiresAt: expires }),
    issuedAt: Math.floor(Date.now() / 1000),
  });
  if (out !== undefined) await writeSecret(out, `${token}\n`);
  await output.result({
    json: { type: 'relay-token', ...(out === undefined ? { token } : { file: out }) },
    blocks: out === undefined ? [{ kind: 'text', text: token }] : [{ kind: 'fields', rows: [['Token file', out]] }],
  });
  if (expires === undefined) output.warn('the token never expires (--expires 1h)');
};

import { StreamsError } from '../../src/core/errors.ts';
import type { Run } from '../command.ts';
import { keepSecrets, prepareSecretFiles } from '../options/secret-file.ts';
import { type ApiKey, apiKeyTable } from './api-key.ts';
import type { createSpec } from './specs.ts';

export const run: Run<typeof createSpec> = async ({ options, output, api }) => {
  if (options.name === undefined && !output.interactive) {
    throw new StreamsError('USAGE', 'an API key needs a name, and there is no terminal to ask on', {
      hint: `streams api-keys create --name ci${output.json ? ' --json' : ''}`,
    });
  }
  const name =
    options.name ??
    (await output.prompt.text({
      message: 'What is the key for?',
      placeholder: 'ci',
      validate: (answer) => (answer.trim() === '' ? 'It needs a name' : undefined),
    }));
  await prepareSecretFiles(options);
  const created = await (await api()).request<ApiKey & { api_key_cleartext: string }>('POST', '/v1/api-keys', {
    name,
    scopes: options.scope ?? ['streams:read'],
    ...(options.expires === undefined ? {} : { expiresInSeconds: Math.round(options.expires / 1000) }),
  });
  const { api_key_cleartext: apiKey, ...key } = created;
  const savedTo = await keepSecrets(options, apiKey, { STREAMS_API_KEY: apiKey });
  const saved = savedTo.length > 0;
  await output.result({
    json: { type: 'api-key', key, ...(saved ? { savedTo } : { apiKey }) },
    blocks: [
      apiKeyTable([key]),
      { kind: 'text', text: '' },
      { kind: 'fields', rows: [saved ? ['Key kept in', savedTo.join(', ')] : ['API key', apiKey]] },
    ],
  });
  if (!saved) output.note('\nThe key is shown this once.');
};

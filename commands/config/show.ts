import { readProfiles } from '../../src/serve/profiles.ts';
import type { Run } from '../command.ts';
import { resolveConnection } from '../profile.ts';
import type { showSpec } from './specs.ts';

export const run: Run<typeof showSpec> = async ({ global, env, output }) => {
  const { apiUrl, apiKey } = await resolveConnection(global, env);
  const { current } = await readProfiles(env);
  const profile = global.profile ?? (env.STREAMS_PROFILE || current);
  const from = (flag: unknown, variable: string, last: string) =>
    flag !== undefined ? 'flag' : env[variable] ? variable : last;
  const urlFrom = from(global.apiUrl, 'STREAMS_API_URL', profile === undefined ? 'default' : `profile ${profile}`);
  const keyFrom = apiKey === undefined ? undefined : from(global.apiKey, 'STREAMS_API_KEY', `profile ${profile}`);
  await output.result({
    json: {
      type: 'config',
      apiUrl,
      apiUrlFrom: urlFrom,
      hasKey: apiKey !== undefined,
      ...(keyFrom === undefined ? {} : { keyFrom }),
      ...(profile === undefined ? {} : { profile }),
    },
    blocks: [
      {
        kind: 'fields',
        rows: [
          ['Profile', profile ?? 'none'],
          ['Server', `${apiUrl} (${urlFrom})`],
          ['API key', keyFrom === undefined ? 'none' : `set (${keyFrom})`],
        ],
      },
    ],
  });
};

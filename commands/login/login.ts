import { StreamsError } from '../../src/core/errors.ts';
import { profilesFile, useProfile, writeProfile } from '../../src/serve/profiles.ts';
import type { Run } from '../command.ts';
import { apiClient } from '../connection/api-client.ts';
import { resolveConnection } from '../profile.ts';
import type { loginSpec } from './specs.ts';

type Whoami = { orgId: string; apiKeyId: string; name: string; scopes: string[] };

const maxKeyBytes = 1024;

export const run: Run<typeof loginSpec> = async ({ global, env, output, stdin, signal }) => {
  if (global.apiKey !== undefined) {
    throw new StreamsError('USAGE', 'a key on the command line can be read by everyone on this machine', {
      hint: 'streams login < key.txt',
    });
  }
  // A profile that is to be made is not there yet.
  const { profile: _made, ...asked } = global;
  const { apiUrl } = await resolveConnection(asked, env);
  const apiKey = (
    output.interactive ? await output.prompt.password({ message: `API key for ${apiUrl}` }) : await piped(stdin)
  ).trim();
  if (apiKey === '') {
    throw new StreamsError('USAGE', 'no key came on stdin, and there is no terminal to ask on', {
      hint: 'streams login < key.txt',
    });
  }
  const who = await apiClient({ apiUrl, apiKey }, signal).request<Whoami>('GET', '/v1/whoami');
  const profile = global.profile ?? new URL(apiUrl).hostname;
  await writeProfile(env, profile, { apiUrl, apiKey });
  await useProfile(env, profile);
  await output.result({
    json: {
      type: 'login',
      profile,
      apiUrl,
      org: who.orgId,
      apiKeyId: who.apiKeyId,
      name: who.name,
      scopes: who.scopes,
    },
    blocks: [
      {
        kind: 'fields',
        rows: [
          ['Profile', profile],
          ['Server', apiUrl],
          ['Organisation', who.orgId],
          ['Key', `${who.name} (${who.apiKeyId}): ${who.scopes.join(' ')}`],
        ],
      },
    ],
  });
  output.note(`\nKept in ${profilesFile(env)}; this profile is used from now on.`);
};

async function piped(stdin: AsyncIterable<Uint8Array>): Promise<string> {
  let text = '';
  for await (const chunk of stdin) {
    text += Buffer.from(chunk).toString();
    if (text.length > maxKeyBytes) throw new StreamsError('USAGE', 'what came on stdin is no API key');
  }
  return text;
}

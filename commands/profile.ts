import { StreamsError } from '../src/core/errors.ts';
import { type Profile, readProfiles } from '../src/serve/profiles.ts';
import type { GlobalOptions } from './global-options.ts';

export const defaultApiUrl = 'http://127.0.0.1:8080';

export type Connection = { apiUrl: string; apiKey: string | undefined };

/**
 * Which control plane, and as whom: flag > environment > profile > default. An API key of the profile goes only to the
 * profile's own URL, never to one that a flag or the environment named. Throws NOT_FOUND for a profile that was asked for and is not there.
 */
export async function resolveConnection(global: GlobalOptions, env: NodeJS.ProcessEnv): Promise<Connection> {
  const flagOrEnvUrl = global.apiUrl ?? nonEmpty(env.STREAMS_API_URL);
  const flagOrEnvKey = global.apiKey ?? nonEmpty(env.STREAMS_API_KEY);
  const asked = global.profile ?? nonEmpty(env.STREAMS_PROFILE);
  const profile = flagOrEnvUrl !== undefined && flagOrEnvKey !== undefined ? undefined : await pick(asked, env);
  const apiUrl = checkedUrl(flagOrEnvUrl ?? profile?.apiUrl ?? defaultApiUrl);
  const sameServer = profile !== undefined && serverOf(profile.apiUrl) === serverOf(apiUrl);
  return { apiUrl, apiKey: flagOrEnvKey ?? (sameServer ? profile.apiKey : undefined) };
}

/** Throws USAGE, which does not repeat what may be a secret. */
function checkedUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const hint = `--api-url ${defaultApiUrl}`;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    const shown = /[@?#]/.test(text) ? 'the address of the API' : `"${text}"`;
    throw new StreamsError('USAGE', `${shown} is not an http(s) URL`, { hint });
  }
  if (url.username !== '' || url.password !== '')
    throw new StreamsError('USAGE', 'the address of the API has a user or a password in it', {
      hint: `--api-url ${url.origin}, and the key in STREAMS_API_KEY`,
    });
  if (url.search !== '' || url.hash !== '')
    throw new StreamsError('USAGE', 'the address of the API has a query in it', {
      hint: `--api-url ${url.origin}${url.pathname.replace(/\/+$/, '')}`,
    });
  return text.replace(/\/+$/, '');
}

async function pick(asked: string | undefined, env: NodeJS.ProcessEnv): Promise<Profile | undefined> {
  const { current, profiles } = await readProfiles(env);
  const name = asked ?? current;
  if (name === undefined) return undefined;
  const profile = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
  if (profile === undefined && asked !== undefined) {
    const known = Object.keys(profiles);
    throw new StreamsError('NOT_FOUND', `there is no profile "${asked}"`, {
      hint: known.length > 0 ? `--profile ${known.join(' | ')}` : 'streams serve',
    });
  }
  return profile;
}

/** `localhost` and the loopback address are one server. */
function serverOf(url: string): string {
  return new URL(url).origin.replace('//localhost', '//127.0.0.1');
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : text;
}

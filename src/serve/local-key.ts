import { StreamsError } from '../core/errors.ts';
import { readProfiles, writeProfile } from './profiles.ts';

export const localProfile = 'local';

/**
 * The API key of the profile `local`, as long as this control plane knows it; otherwise the new one of `bootstrap`. Either way the profile
 * points at `httpUrl` afterwards. `created`: the key is new and has to be shown once.
 */
export async function ensureLocalKey(
  env: Readonly<Record<string, string | undefined>>,
  httpUrl: string,
  bootstrap: (options: { newApiKey: boolean }) => Promise<{ apiKey?: string }>,
): Promise<{ apiKey: string; created: boolean }> {
  const kept = (await readProfiles(env)).profiles[localProfile]?.apiKey;
  const known = kept !== undefined && (await isKnown(httpUrl, kept));
  const { apiKey = kept } = await bootstrap({ newApiKey: !known });
  if (apiKey === undefined) throw new StreamsError('INTERNAL', 'the control plane made no API key');
  await writeProfile(env, localProfile, { apiUrl: httpUrl, apiKey });
  return { apiKey, created: !known };
}

async function isKnown(httpUrl: string, apiKey: string): Promise<boolean> {
  const response = await fetch(`${httpUrl}/v1/live-inputs?limit=1`, { headers: { authorization: `Bearer ${apiKey}` } });
  await response.body?.cancel();
  if (response.ok) return true;
  if (response.status === 401) return false;
  throw new StreamsError('INTERNAL', `the control plane answered ${response.status} to its own key`);
}

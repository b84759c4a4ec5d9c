import { stat } from 'node:fs/promises';
import { withDeadline } from '../../src/core/deadline.ts';
import { StreamsError } from '../../src/core/errors.ts';
import { profilesFile, readProfiles } from '../../src/serve/profiles.ts';
import { ask, jsonOf } from '../connection/ask.ts';
import type { Connection } from '../profile.ts';
import { type Check, fail, ok, warn } from './check.ts';

const timeoutMs = 5000;
/** Tokens are checked with 5 s of leeway. */
const skewFailMs = 5000;
const skewWarnMs = 2000;

export type ServerFindings = {
  checks: Check[];
  reachable: boolean;
  relay: { url: string; certificateSha256?: string } | undefined;
};

/** Asks the control plane what anyone may ask, and who we are. */
export async function serverChecks({ apiUrl, apiKey }: Connection, signal: AbortSignal): Promise<ServerFindings> {
  const get = (path: string, headers: Record<string, string> = {}) =>
    withDeadline(timeoutMs, signal, async (soon) => {
      const response = await ask(apiUrl, path, { headers, signal: soon });
      const receivedAt = Date.now();
      return { response, receivedAt, body: (await jsonOf(response, apiUrl, soon)) ?? {} };
    });
  let endpoints: Awaited<ReturnType<typeof get>>;
  let sentAt: number;
  try {
    sentAt = Date.now();
    endpoints = await get('/endpoints.json');
  } catch (error) {
    signal.throwIfAborted();
    const { message, hint } = why(error, apiUrl);
    // That none is there is nothing wrong with this machine; one that cannot be spoken to is.
    const say = message.includes('nothing listens') ? warn : fail;
    const missing = say('server', message, hint ?? 'streams serve, or --api-url <url>');
    return { checks: [missing], reachable: false, relay: undefined };
  }
  const { response, receivedAt } = endpoints;
  const { relay } = endpoints.body as { relay?: ServerFindings['relay'] | null };
  if (relay === undefined) {
    const other = fail('server', `what answers at ${apiUrl} is not a streams server`, '--api-url <url>');
    return { checks: [other], reachable: false, relay: undefined };
  }
  const checks = [ok('server', apiUrl), clockCheck(response.headers.get('date'), sentAt, receivedAt), await keyCheck()];
  return { checks, reachable: true, relay: relay ?? undefined };

  async function keyCheck(): Promise<Check> {
    if (apiKey === undefined) return warn('API key', `none for ${apiUrl}`, 'streams login, or STREAMS_API_KEY');
    const answer = await get('/v1/whoami', { authorization: `Bearer ${apiKey}` }).catch(() => undefined);
    if (answer?.response.ok !== true) {
      const status = answer?.response.status;
      const why = status === undefined ? 'no answer' : status === 401 ? 'not known there' : `status ${status}`;
      return fail('API key', `refused by ${apiUrl}: ${why}`, 'streams login');
    }
    const { name, scopes } = answer.body as { name: string; scopes: string[] };
    return ok('API key', `"${name}", ${scopes.join(' ')}`);
  }
}

function why(error: unknown, apiUrl: string): { message: string; hint?: string | undefined } {
  if (error instanceof StreamsError) return error;
  return { message: `${apiUrl} did not answer within ${timeoutMs / 1000} s` };
}

/** The server's Date header has whole seconds: what it says was true somewhere in that second. */
export function clockCheck(date: string | null, sentAt: number, receivedAt: number): Check {
  const server = date === null ? Number.NaN : Date.parse(date);
  if (Number.isNaN(server)) return warn('clock', 'the server does not tell its time', 'check NTP on both machines');
  const ahead = Math.max(0, sentAt - (server + 1000));
  const behind = Math.max(0, server - receivedAt);
  const skew = Math.max(ahead, behind);
  const way = ahead > 0 ? 'ahead of' : 'behind';
  const message = skew === 0 ? 'agrees with the server' : `${(skew / 1000).toFixed(1)} s ${way} the server`;
  const hint = 'set the clock (NTP): tokens and latencies depend on it';
  return skew > skewFailMs
    ? fail('clock', message, hint)
    : skew > skewWarnMs
      ? warn('clock', message, hint)
      : ok('clock', message);
}

/** The file with the keys of all profiles. */
export async function profilesCheck(env: NodeJS.ProcessEnv): Promise<Check> {
  const file = profilesFile(env);
  const found = await stat(file).catch(() => undefined);
  if (found === undefined) return ok('profiles', 'none yet');
  try {
    const { current, profiles } = await readProfiles(env);
    if ((found.mode & 0o077) !== 0)
      return warn('profiles', `${file} can be read by others; it holds keys`, `chmod 600 ${file}`);
    return ok(
      'profiles',
      `${Object.keys(profiles).length} in ${file}${current === undefined ? '' : `, using "${current}"`}`,
    );
  } catch {
    return fail('profiles', `${file} cannot be read`, `mend it, or keep it aside: mv ${file} ${file}.damaged`);
  }
}

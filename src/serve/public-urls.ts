import { isWildcard } from '../control/addresses.ts';
import { StreamsError } from '../core/errors.ts';

/** What people are told instead of where this machine listens. Without a trailing slash. */
export type PublicUrls = {
  /** Of API and web pages; the others follow from its name, with the ports that are listened on. */
  http?: string;
  relay?: string;
  /** Without `/live`. */
  rtmp?: string;
  rtmps?: string;
  srt?: string;
  /** What stands before `/whip/…`, `/ingest/…`, `/hls/…`. */
  whip?: string;
  fmp4?: string;
  hls?: string;
};

type Kind = keyof PublicUrls;

type Rule = {
  option: string;
  variable: string;
  schemes: readonly string[];
  example: string;
  /** A proxy or a CDN may serve it below a path; `cut` may stand at the end, since people copy whole addresses. */
  path?: 'any' | { cut: string };
  needsPort?: true;
};

const rule = (kind: string, schemes: readonly string[], example: string, more: Partial<Rule> = {}): Rule => {
  const name = kind === '' ? 'public-url' : `public-${kind}-url`;
  return {
    option: `--${name}`,
    variable: `STREAMS_${name.toUpperCase().replaceAll('-', '_')}`,
    schemes,
    example,
    ...more,
  };
};

const web = ['https', 'http'];
const rules: Record<Kind, Rule> = {
  http: rule('', web, 'https://video.example.com'),
  relay: rule('relay', ['https'], 'https://relay.example.com:4443'),
  rtmp: rule('rtmp', ['rtmp'], 'rtmp://ingest.example.com', { path: { cut: '/live' } }),
  rtmps: rule('rtmps', ['rtmps'], 'rtmps://ingest.example.com', { path: { cut: '/live' } }),
  srt: rule('srt', ['srt'], 'srt://ingest.example.com:9000', { needsPort: true }),
  whip: rule('whip', web, 'https://whip.example.com', { path: 'any' }),
  fmp4: rule('fmp4', web, 'https://ingest.example.com', { path: 'any' }),
  hls: rule('hls', web, 'https://cdn.example.com', { path: 'any' }),
};

/** From what the options say, else the environment. Throws USAGE for what is no such URL. */
export function readPublicUrls(
  options: Readonly<Partial<Record<Kind, string | undefined>>>,
  env: Readonly<Record<string, string | undefined>>,
): PublicUrls {
  const urls: PublicUrls = {};
  for (const kind of Object.keys(rules) as Kind[]) {
    const { option, variable } = rules[kind];
    const given = options[kind];
    if (given !== undefined) urls[kind] = checked(given, option, rules[kind]);
    else if (env[variable]) urls[kind] = checked(env[variable], variable, rules[kind]);
  }
  return urls;
}

function checked(text: string, from: string, { option, schemes, example, path, needsPort }: Rule): string {
  const wrong = (why: string) =>
    // Somebody may have put a password into it.
    new StreamsError('USAGE', `${from} ${why}`, { hint: `${from === option ? `${option} ` : `${from}=`}${example}` });
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const scheme = schemes.find((known) => url?.protocol === `${known}:`);
  if (url === undefined || scheme === undefined)
    throw wrong(`must be a URL that begins with ${schemes.map((known) => `${known}://`).join(' or ')}`);
  const host = url.hostname;
  if (url.username !== '' || url.password !== '') throw wrong('must not hold a user name or a password');
  if (!/^(\[[0-9a-f:.]+\]|[0-9a-z_]([0-9a-z._-]*[0-9a-z_])?\.?)$/i.test(host) || host.length > 253)
    throw wrong('names no host that people could reach');
  if (isWildcard(host)) throw wrong(`is ${host}, which is all addresses of a machine and leads to none`);
  if (url.search !== '' || url.hash !== '') throw wrong('must end with its host, port or path');
  if (url.port === '0' || (needsPort && url.port === '')) throw wrong('needs its port');
  let below = url.pathname.replace(/\/+$/, '');
  if (path !== undefined && path !== 'any' && below === path.cut) below = '';
  if (below !== '' && path !== 'any') throw wrong('must have no path');
  return `${scheme}://${url.host}${below}`;
}

import { playbackAudience } from '../../../src/contract/playback-token.ts';
import type { ReadToken } from './read-token.ts';

export type Check = { name: string; status: 'ok' | 'fail' | 'unknown'; message: string };

/** What the token is for, by its claims. */
export type TokenKind = 'playback' | 'relay';

/** The relay allows clocks this much. */
const skewMs = 5000;
const forbidden = ['jku', 'jwk', 'x5u', 'x5c', 'crit'];

/** `relay`: the form of moq-relay, with paths to publish and subscribe in place of an audience. */
export function kindOf({ payload }: ReadToken): TokenKind {
  const relay = ['root', 'put', 'get', 'pub', 'sub', 'publish', 'subscribe'];
  return payload.aud === undefined && payload.ns === undefined && relay.some((name) => payload[name] !== undefined)
    ? 'relay'
    : 'playback';
}

/** What can be said without a key. `now` is ms since the Unix epoch; `issuer` that of the server, where it is known. */
export function checkClaims(token: ReadToken, kind: TokenKind, now: number, issuer: string | undefined): Check[] {
  const { header, payload, repeated } = token;
  const bad = forbidden.filter((name) => header[name] !== undefined);
  const alg = typeof header.alg === 'string' ? header.alg : '';
  const known = [
    'EdDSA',
    'Ed25519',
    'RS256',
    ...(kind === 'relay'
      ? ['HS256', 'HS384', 'HS512', 'ES256', 'ES384', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']
      : []),
  ];
  const checks: Check[] = [
    check(
      'algorithm',
      known.includes(alg),
      alg,
      alg === '' || alg === 'none' ? 'not signed (alg none)' : `${alg} is not accepted`,
    ),
    check('header', bad.length === 0, 'brings no key of its own', `brings its own key or rules: ${bad.join(', ')}`),
    check('claims', repeated.length === 0, 'each comes once', `come twice: ${repeated.join(', ')}`),
  ];
  if (kind === 'playback')
    checks.push(
      check('key id', typeof header.kid === 'string' && header.kid !== '', String(header.kid), 'names no key (kid)'),
    );
  checks.push(...times(payload, kind, now));
  if (kind === 'relay') return checks;
  const audiences = [payload.aud].flat();
  const namespaces = namespacesOf(payload);
  return [
    ...checks,
    check(
      'audience',
      audiences.includes(playbackAudience),
      playbackAudience,
      payload.aud === undefined ? 'names no audience (aud)' : `is for ${audiences.join(', ')}, not ${playbackAudience}`,
    ),
    issuerCheck(payload.iss, issuer),
    check(
      'namespaces',
      namespaces.length > 0 && namespaces.every((name) => /^stream\/[^/]+\/[^/]+$/.test(name)),
      namespaces.join(', '),
      namespaces.length === 0 ? 'opens nothing (ns)' : `not all are stream/<org>/<id>: ${namespaces.join(', ')}`,
    ),
  ];
}

function times(payload: ReadToken['payload'], kind: TokenKind, now: number): Check[] {
  const { exp, nbf } = payload;
  const checks: Check[] = [];
  if (typeof exp === 'number') {
    const left = exp * 1000 - now;
    checks.push(check('expiry', left > -skewMs, `expires in ${span(left)}`, `expired ${span(-left)} ago`));
  } else if (kind === 'playback') checks.push({ name: 'expiry', status: 'fail', message: 'has no expiry (exp)' });
  else checks.push({ name: 'expiry', status: 'ok', message: 'never expires' });
  if (nbf !== undefined) {
    const early = typeof nbf === 'number' ? nbf * 1000 - now : Number.NaN;
    checks.push(
      check(
        'not before',
        early <= skewMs,
        'is valid already',
        Number.isNaN(early) ? 'nbf is not a number' : `is valid only in ${span(early)}`,
      ),
    );
  }
  return checks;
}

function issuerCheck(found: unknown, wanted: string | undefined): Check {
  if (typeof found !== 'string') return { name: 'issuer', status: 'fail', message: 'names no issuer (iss)' };
  if (wanted === undefined)
    return { name: 'issuer', status: 'unknown', message: `${found}; not compared with a server` };
  return check('issuer', found === wanted, found, `is from ${found}, the server is ${wanted}`);
}

export function namespacesOf(payload: ReadToken['payload']): string[] {
  return texts(payload.ns);
}

/** What a bearer may do, one line each. */
export function rightsOf({ payload }: ReadToken, kind: TokenKind): string[] {
  if (kind === 'relay') {
    const root = typeof payload.root === 'string' && payload.root !== '' ? payload.root : '';
    const under = (path: string) => [root, path].filter((part) => part !== '').join('/') || 'everything';
    const line = (verb: string, paths: unknown) => texts(paths).map((path) => `${verb} ${under(path)}`);
    return [
      ...line('publish', payload.publish ?? payload.put ?? payload.pub),
      ...line('subscribe to', payload.subscribe ?? payload.get ?? payload.sub),
    ];
  }
  const limits = [
    ...(payload.tracks === undefined ? [] : [`only the tracks ${texts(payload.tracks).join(', ')}`]),
    ...(payload.addresses === undefined ? [] : [`only from the addresses ${texts(payload.addresses).join(', ')}`]),
    ...(payload.origins === undefined ? [] : [`only in pages of ${texts(payload.origins).join(', ')}`]),
    ...(payload.once === undefined || payload.once === false ? [] : ['one time only']),
  ];
  return [...namespacesOf(payload).map((name) => `watch ${name}`), ...limits];
}

/** `2 h 5 min`, `13 days`, for a duration in ms. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}

function check(name: string, good: boolean, yes: string, no: string): Check {
  return { name, status: good ? 'ok' : 'fail', message: good ? yes : no };
}

function texts(value: unknown): string[] {
  const list = typeof value === 'string' ? [value] : Array.isArray(value) ? value : [];
  return list.filter((text): text is string => typeof text === 'string');
}

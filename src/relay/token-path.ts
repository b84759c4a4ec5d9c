import { fromUtf8 } from '../core/bytes.ts';
import type { AuthToken } from '../session/types.ts';

/** Query parameters that carry a credential already. */
const credential = /[?&](tok|jwt|sk)=/;
/** A path has no room for more tokens than this anyway. */
const maxTokenBytes = 8192;

/** The path with the token in its query, where authorisers look for it; a credential of the URL's own goes before it. */
export function pathWithToken(path: string, tokens: readonly AuthToken[]): string {
  const token = tokens[0];
  if (token === undefined || token.value.length > maxTokenBytes || credential.test(path)) return path;
  const name = path.startsWith('/playback/') ? 'tok' : path.startsWith('/publish/') ? 'sk' : 'jwt';
  return `${path}${path.includes('?') ? '&' : '?'}${name}=${encodeURIComponent(fromUtf8(token.value))}`;
}

/** Where a session would have to knock to be let in to the namespace with this token. */
export function playbackPath(namespace: readonly string[], token: AuthToken): string {
  return pathWithToken(`/playback/${encodeURIComponent(namespace.at(-1) ?? '')}`, [token]);
}

/** Where a session of that path is sent: a bare `uri` gets its path and query. */
export function destination(uri: string, path: string): string {
  const { protocol, host, pathname, search } = new URL(uri);
  return (pathname === '' || pathname === '/') && search === '' ? `${protocol}//${host}${path}` : uri;
}

import { StreamsError } from '../../core/errors.ts';
import { readPlaybackToken } from '../playback-token.ts';

const tokenParameters = ['tok', 'jwt'] as const;

export type PlaybackTarget = {
  /** With the token in its query: a secret. */
  url: string;
  namespace: readonly string[];
  /** Of the token, ms since the Unix epoch. */
  expiresAt: number | undefined;
};

/**
 * What a playback URL opens. The namespace is `explicit`, else the token's `ns` claim that ends with the URL's id, else its
 * first. `token` replaces the one in the URL. Throws USAGE for a string that is no URL, TOKEN_INVALID without a namespace.
 */
export function playbackTarget(url: string, explicit?: readonly string[], token?: string): PlaybackTarget {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new StreamsError('USAGE', 'the playback URL is not a URL', {
      hint: 'streams playback mint <input> prints one',
    });
  }
  const name = tokenParameters.find((parameter) => parsed.searchParams.has(parameter)) ?? 'tok';
  if (token !== undefined) parsed.searchParams.set(name, token);
  const given = parsed.searchParams.get(name);
  const claims =
    given === null || (explicit !== undefined && given.split('.').length !== 3) ? undefined : readPlaybackToken(given);
  const id = decodeURIComponent(parsed.pathname.split('/').at(-1) ?? '');
  const namespace = explicit ?? claims?.namespaces.find((ns) => ns.at(-1) === id) ?? claims?.namespaces[0];
  if (namespace === undefined) {
    throw new StreamsError('TOKEN_INVALID', given === null ? 'the URL has no token' : 'the token opens no stream', {
      hint: 'streams playback mint <input> prints a URL with its token',
    });
  }
  return { url: parsed.toString(), namespace, expiresAt: claims?.expiresAt };
}

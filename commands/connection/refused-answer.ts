import { StreamsError } from '../../src/core/errors.ts';

/** What answers is something else. */
export function notOurs(apiUrl: string): StreamsError {
  return new StreamsError('API_UNREACHABLE', `what answers at ${apiUrl} is not a streams API`, {
    hint: 'streams doctor --api-url <url>',
  });
}

/**
 * A redirect is not followed where it would take a key, or the body of a request, to a place that the user has not named. Names the place,
 * without its query, which may hold a secret.
 */
export function redirectError(location: string | undefined | null, asked: string, apiUrl: string): StreamsError {
  const target = location && URL.canParse(location, asked) ? new URL(location, asked) : undefined;
  if (target === undefined)
    return new StreamsError('API_UNREACHABLE', `${apiUrl} redirects, and does not say where to`, {
      hint: 'streams doctor --api-url <url>',
    });
  const { origin, pathname } = target;
  const path = asked.slice(apiUrl.length).split('?')[0]!;
  // The same path elsewhere: the whole server has moved.
  const base = pathname.endsWith(path) ? `${origin}${pathname.slice(0, -path.length)}` : undefined;
  return new StreamsError(
    'API_UNREACHABLE',
    `${apiUrl} redirects to ${origin}${pathname}, and commands do not follow`,
    {
      hint: base === undefined || !/^https?:/.test(origin) ? 'streams doctor --api-url <url>' : `--api-url ${base}`,
    },
  );
}

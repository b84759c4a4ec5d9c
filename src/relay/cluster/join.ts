import type { Grant } from '../../access/grant.ts';
import { everythingBelow } from '../../access/pattern.ts';
import { StreamsError } from '../../core/errors.ts';

/** In the query of a session's path: the client is a relay that wants to be a member of the cluster. */
const joining = 'cluster';

/** Path and query of a link; `token` is a secret. */
export function joiningPath(path: string, token: string | undefined): string {
  const { pathname, searchParams } = new URL(path, 'https://relay.invalid');
  if (token !== undefined && !searchParams.has('jwt')) searchParams.set('jwt', token);
  // What prices a link is for the relay that dials.
  searchParams.delete('cost');
  searchParams.set(joining, '1');
  return `${pathname}?${searchParams}`;
}

export function asksToJoin(path: string): boolean {
  const mark = path.indexOf('?');
  return mark >= 0 && new URLSearchParams(path.slice(mark + 1)).has(joining);
}

/** A relay of the cluster passes everything on. */
export const memberGrant: Grant = {
  kind: 'both',
  cluster: true,
  publish: [everythingBelow([])],
  subscribe: [everythingBelow([])],
  lapsed: () => undefined,
  watch: () => () => {},
};

/** The session is that of another relay of the cluster: it has the right, and names namespaces whole. */
export function isMember(grant: Grant | undefined): boolean {
  return grant?.cluster === true && (grant.root ?? []).length === 0;
}

/** What a relay is refused with that may not be a member. */
export function noMember(path: string): StreamsError {
  const hasToken = new URLSearchParams(path.slice(path.indexOf('?') + 1)).has('jwt');
  const reason = hasToken
    ? 'the token has no cluster right (cluster: true), or the path is not /'
    : 'a relay of the cluster needs a token';
  return new StreamsError('UNAUTHORIZED', reason, {
    hint: 'streams relay-token sign --key root.jwk --cluster --publish "" --subscribe ""',
  });
}

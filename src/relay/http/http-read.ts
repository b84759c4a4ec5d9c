import { type Authoriser, allows, nothingCarried } from '../../access/grant.ts';
import { requestErrorCodes } from '../../codec/moqt/codes.ts';
import { StreamsError, toStreamsError } from '../../core/errors.ts';
import { httpStatus } from '../../core/http-status.ts';
import { RequestError } from '../../session/request-error.ts';
import type { TrackName } from '../../session/types.ts';
import { type AddressRateLimit, addressKey } from '../listen/rate-limit.ts';
import type { RelayCore } from '../relay.ts';
import { isInternal } from '../rights/session-rights.ts';
import type { HttpAnswer, HttpRead } from './debug-http.ts';
import { readGroup, readNewestGroup } from './read-group.ts';

export type HttpReadOptions = {
  readonly core: RelayCore;
  readonly authoriser: Authoriser;
  readonly rate: AddressRateLimit;
  /** MoQT version of the session that a fetch is. */
  readonly version: string;
};

/** What a browser or curl may look at, with the rights a session of the same path would have. Tokens are in the query. */
export function httpRead({ core, authoriser, rate, version }: HttpReadOptions): HttpRead {
  /** `/announced/<prefix>`: what is published below the prefix and may be subscribed to, relative to it, one a line. */
  async function announced(path: string, search: string, remoteAddress: string): Promise<HttpAnswer> {
    const grant = await authoriser.authorise({ path: `${path}${search}`, remoteAddress });
    grant.over?.({ reason: 'answered', ...nothingCarried });
    const { root = [] } = grant;
    const lines = core
      .namespaces()
      .filter(
        (namespace) =>
          root.every((field, i) => field === namespace[i]) &&
          allows(grant.subscribe, namespace) &&
          !isInternal(namespace),
      )
      .map((namespace) => `${namespace.slice(root.length).join('/')}\n`);
    return { status: 200, body: lines.sort().join('') };
  }

  /** `/fetch/<namespace>/<track>`: the payloads of the newest group, or of `?group=N`. */
  async function fetched(
    path: string,
    search: string,
    remoteAddress: string,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const namespace = path
      .split('/')
      .filter((field) => field !== '')
      .map(decodeURIComponent);
    const name = namespace.pop();
    if (name === undefined || namespace.length === 0) {
      throw new StreamsError('INVALID_ARGUMENT', '/fetch/<namespace>/<track>');
    }
    const group = new URLSearchParams(search).get('group') ?? 'latest';
    if (group !== 'latest' && !/^\d{1,15}$/.test(group)) throw new StreamsError('INVALID_ARGUMENT', '?group=<number>');
    // The path above it: a session there names the last part only.
    const last = namespace.pop()!;
    const parent = `/${namespace.map(encodeURIComponent).join('/')}${search}`;
    const grant = await authoriser.authorise({ path: parent, remoteAddress });
    if (!allows(grant.subscribe, [...(grant.root ?? []), last])) {
      grant.over?.({ reason: 'refused', ...nothingCarried });
      throw new StreamsError('UNAUTHORIZED', 'not for this session');
    }
    const track: TrackName = { namespace: [last], name };
    const local = { core, grant, version, signal };
    const body = group === 'latest' ? readNewestGroup(local, track) : readGroup(local, track, Number(group));
    // The first object decides about the status.
    const first = await body.next();
    return {
      status: 200,
      body: first.done === true ? '' : following(first.value, body),
      type: 'application/octet-stream',
    };
  }

  return async ({ kind, path, search, remoteAddress, signal }) => {
    if (!rate.take(addressKey(remoteAddress))) return { status: 429, body: 'too many requests\n' };
    try {
      return kind === 'announced'
        ? await announced(path, search, remoteAddress)
        : await fetched(path, search, remoteAddress, signal);
    } catch (error) {
      const { message } = toStreamsError(error);
      return { status: statusOf(error), body: `${message}\n` };
    }
  };
}

async function* following(first: Uint8Array, rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield first;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}

/** A publisher may be late, or unable to do what is asked of it. */
const exceptions = { TIMEOUT: 504, UNSUPPORTED: 501 } as const;

function statusOf(error: unknown): number {
  if (error instanceof RequestError && error.requestCode === requestErrorCodes.doesNotExist) return 404;
  return error instanceof URIError ? 400 : httpStatus(toStreamsError(error), exceptions);
}

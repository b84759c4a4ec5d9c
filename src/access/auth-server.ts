import { randomBytes } from 'node:crypto';
import { StreamsError, toStreamsError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { AuthoriseRequest, Authoriser, Grant } from './grant.ts';
import { covers, type NamespacePattern } from './pattern.ts';
import { parsePath, parsePattern } from './relay-token/paths.ts';

export type AuthServerOptions = {
  /** https, or http on this machine. */
  readonly url: string;
  /** What the server knows this relay as. */
  readonly node: string;
  readonly logger: Logger;
  /** First pause after a re-check that failed, in ms; default 1000. For tests. */
  readonly retryMs?: number;
};

type Answer = {
  readonly root: readonly string[];
  readonly publish: readonly NamespacePattern[];
  readonly subscribe: readonly NamespacePattern[];
  /** Milliseconds since the Unix epoch; no grace. */
  readonly expiresAt: number;
  readonly revalidateMs: number | undefined;
  /** The session is one of a relay of the cluster. */
  readonly cluster: boolean;
};

const timeoutMs = 10_000;
const maxRetryMs = 30_000;
const maxAnswerLength = 64 << 10;
/** setTimeout takes no more. */
const maxTimerMs = 2 ** 31 - 1;

/**
 * Asks an auth server about every session, as moq-relay 0.15 and later do: one POST on `connect`, on `revalidate` and on `end`;
 * 401 and 403 refuse, whatever else is no grant refuses too and is no verdict. A re-check that widens the rights does so at
 * once, one that narrows them ends the session.
 */
export function serverAuthoriser(options: AuthServerOptions): Authoriser {
  const { logger } = options;
  checkUrl(options.url);
  return {
    async authorise(request) {
      const facts = factsOf(request, options.node);
      const answer = await ask(options.url, { event: 'connect', ...facts }, facts.path);
      if (answer.expiresAt <= Date.now()) {
        throw new StreamsError('TOKEN_EXPIRED', 'the grant has expired already');
      }
      return grantOf(answer, facts, options, logger);
    },
  };
}

function grantOf(first: Answer, facts: ReturnType<typeof factsOf>, options: AuthServerOptions, logger: Logger): Grant {
  const { url, retryMs = 1000 } = options;
  const admittedAt = performance.now();
  let current = first;
  const lapsed = (): string | undefined => (Date.now() >= current.expiresAt ? 'the grant has expired' : undefined);

  function watch(end: (reason: string) => void): () => void {
    let timer: NodeJS.Timeout | undefined;
    let stopped = false;
    let checkAt = nextCheck(current);
    let failures = 0;
    const finish = (reason: string): void => {
      stop();
      end(reason);
    };
    const wait = (): void => {
      const ms = Math.min(checkAt, current.expiresAt) - Date.now();
      timer = setTimeout(() => void look(), Math.min(maxTimerMs, Math.max(1, ms)));
    };
    const look = async (): Promise<void> => {
      const reason = lapsed();
      if (reason !== undefined) return finish(reason);
      if (Date.now() >= checkAt) {
        const outcome = await recheck();
        if (stopped) return;
        if (outcome !== undefined) return finish(outcome);
      }
      wait();
    };
    /** Why the session must end; undefined when it may go on. */
    const recheck = async (): Promise<string | undefined> => {
      try {
        const next = await ask(url, { event: 'revalidate', ...facts }, facts.path);
        if (!isAsWide(next, current)) return 'the rights of this session were taken back';
        current = next;
        failures = 0;
        checkAt = nextCheck(next);
      } catch (error) {
        const { code, message } = toStreamsError(error);
        if (code === 'UNAUTHORIZED') return message;
        logger.warn('a session could not be re-checked', { reason: message });
        checkAt = Date.now() + Math.min(maxRetryMs, retryMs * 2 ** failures++);
      }
      return undefined;
    };
    const stop = (): void => {
      stopped = true;
      clearTimeout(timer);
    };
    if (current.expiresAt < Number.POSITIVE_INFINITY) wait();
    return stop;
  }

  const { publish, subscribe } = first;
  return {
    kind: publish.length === 0 ? 'playback' : subscribe.length === 0 ? 'publish' : 'both',
    root: first.root,
    cluster: first.cluster,
    get publish() {
      return current.publish;
    },
    get subscribe() {
      return current.subscribe;
    },
    lapsed,
    watch,
    remainingMs: () => (current.expiresAt === Number.POSITIVE_INFINITY ? undefined : current.expiresAt - Date.now()),
    over({ reason, bytesSent, bytesReceived }) {
      const duration = (performance.now() - admittedAt) / 1000;
      const bytes = { sent: bytesSent, received: bytesReceived };
      void post(url, { event: 'end', ...facts, reason, duration, bytes }).catch((error: unknown) => {
        logger.warn('the end of a session could not be reported', { reason: toStreamsError(error).message });
      });
    },
  };
}

function factsOf({ path, token, remoteAddress, via }: AuthoriseRequest, node: string) {
  const mark = path.indexOf('?');
  return {
    id: randomBytes(16).toString('hex'),
    node,
    transport: via === 'qmux' ? 'websocket' : via === undefined || via === 'memory' ? 'http' : 'quic',
    ...(remoteAddress !== '' && { remote: remoteAddress }),
    path: mark < 0 ? path : path.slice(0, mark),
    ...(mark >= 0 && { query: path.slice(mark + 1) }),
    ...(token !== undefined && { token: { kind: 0, value: Buffer.from(token).toString('base64url') } }),
  };
}

function nextCheck({ revalidateMs }: Answer): number {
  return revalidateMs === undefined ? Number.POSITIVE_INFINITY : Date.now() + revalidateMs;
}

function isAsWide(next: Answer, before: Answer): boolean {
  return (
    next.root.join('/') === before.root.join('/') &&
    (next.cluster || !before.cluster) &&
    (['publish', 'subscribe'] as const).every((role) =>
      before[role].every((inner) => next[role].some((outer) => covers(outer, inner))),
    )
  );
}

/** Throws UNAUTHORIZED for a clear refusal, API_UNREACHABLE for anything else that is no grant. */
async function ask(url: string, body: object, path: string): Promise<Answer> {
  const response = await post(url, body);
  if (response.status === 401 || response.status === 403) {
    throw new StreamsError('UNAUTHORIZED', wordsOf(response.text) ?? 'the auth server refused');
  }
  if (!response.ok) throw new StreamsError('API_UNREACHABLE', `the auth server answered ${response.status}`);
  try {
    return parseAnswer(JSON.parse(response.text), path);
  } catch (cause) {
    throw new StreamsError('API_UNREACHABLE', 'the auth server answered something that is no grant', { cause });
  }
}

/** Why it refused, if it says so as our control plane does: `{"error": {"message": "…"}}`. */
function wordsOf(text: string): string | undefined {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: unknown } };
    const message = typeof error?.message === 'string' ? error.message : '';
    return /^[ -~]{1,200}$/.test(message) ? message : undefined;
  } catch {
    return undefined;
  }
}

async function post(url: string, body: object): Promise<{ ok: boolean; status: number; text: string }> {
  const target = new URL(url);
  const { username, password } = target;
  // fetch takes no URL with credentials in it.
  target.username = target.password = '';
  const basic = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64');
  try {
    const response = await fetch(target, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...((username !== '' || password !== '') && { authorization: `Basic ${basic}` }),
      },
      body: JSON.stringify(body),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    return { ok: response.ok, status: response.status, text: await response.text() };
  } catch (cause) {
    throw new StreamsError('API_UNREACHABLE', 'the auth server does not answer', { cause });
  }
}

/** Throws MALFORMED. A grant that names nothing, or is to be re-checked without an end, is none. */
function parseAnswer(answer: unknown, path: string): Answer {
  const malformed = (what: string): StreamsError => new StreamsError('MALFORMED', what);
  if (typeof answer !== 'object' || answer === null) throw malformed('no object');
  const {
    publish = [],
    subscribe = [],
    root = path,
    expires,
    revalidate,
    peer = false,
  } = answer as Record<string, unknown>;
  if (typeof root !== 'string') throw malformed('root');
  const fields = parsePath(root).map(decodeURIComponent);
  const list = (given: unknown): NamespacePattern[] => {
    const texts: unknown[] = Array.isArray(given) ? given : [given];
    return texts.map((text) => {
      if (typeof text !== 'string' || text.length > maxAnswerLength) throw malformed('pattern');
      return parsePattern(fields, text);
    });
  };
  const rights = { publish: list(publish), subscribe: list(subscribe) };
  if (rights.publish.length + rights.subscribe.length === 0) throw malformed('nothing is granted');
  if (typeof peer !== 'boolean') throw malformed('peer');
  if (expires !== undefined && !Number.isSafeInteger(expires)) throw malformed('expires');
  if (
    revalidate !== undefined &&
    !(Number.isSafeInteger(revalidate) && Number(revalidate) > 0 && expires !== undefined)
  ) {
    throw malformed('revalidate');
  }
  return {
    root: fields,
    cluster: peer,
    ...rights,
    expiresAt: expires === undefined ? Number.POSITIVE_INFINITY : Number(expires) * 1000,
    revalidateMs: revalidate === undefined ? undefined : Number(revalidate) * 1000,
  };
}

function checkUrl(url: string): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const local = parsed !== undefined && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(parsed.hostname);
  if (parsed?.protocol === 'https:' || (parsed?.protocol === 'http:' && local)) return;
  throw new StreamsError('CONFIG_INVALID', 'auth.url must be https://…, or http://… on this machine');
}

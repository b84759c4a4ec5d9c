import { createHmac } from 'node:crypto';
import { Resolver } from 'node:dns/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { startDeadline } from '../../core/deadline.ts';
import { StreamsError } from '../../core/errors.ts';
import { isPrivateAddress } from './private-address.ts';

/** Of an attempt, whatever the endpoint does: from the look-up of its name to the head of its answer. */
export const attemptMs = 10_000;
/** Answers before the answer (RFC 9110, 15.2) that an endpoint may send. */
const maxInterim = 16;

export type Posting = {
  url: string;
  body: string;
  headers: Record<string, string>;
  /** Let it go to addresses that are not on the public Internet. */
  allowPrivate: boolean;
  /** Milliseconds; default 10 s. */
  withinMs?: number | undefined;
  /** Default: the name servers of the machine. */
  resolver?: Resolver;
};

/** `t=<seconds>,v1=<hex>`: HMAC-SHA256 over `<seconds>.<body>` under the webhook's secret. */
export function signature(secret: string, seconds: number, body: string): string {
  return `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`;
}

/** Throws INVALID_ARGUMENT for what can never be a target: another scheme, credentials in it, a private address. */
export function requireWebhookUrl(text: string, allowPrivate: boolean): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    throw new StreamsError('INVALID_ARGUMENT', 'url: not an http or https address');
  if (url.username !== '' || url.password !== '')
    throw new StreamsError('INVALID_ARGUMENT', 'url: must not hold credentials');
  const host = hostOf(url).replace(/\.+$/, '');
  if (
    !allowPrivate &&
    (host === 'localhost' || host.endsWith('.localhost') || (isIP(host) !== 0 && isPrivateAddress(host)))
  )
    throw refusedTarget();
  return url.href;
}

/**
 * POSTs once and answers the status; redirects are not followed and the answer's body is not read. What the name resolves to
 * is checked on the very connection. Settles within 10 s, and nothing is left of the connection then. Throws INVALID_ARGUMENT for
 * a private address, LIMIT_EXCEEDED for a flood of interim answers, TIMEOUT, or TRANSPORT_CLOSED.
 */
export async function post({
  url: text,
  body,
  headers,
  allowPrivate,
  withinMs = attemptMs,
  resolver,
}: Posting): Promise<number> {
  const url = new URL(text);
  const host = hostOf(url);
  if (!allowPrivate && isIP(host) !== 0 && isPrivateAddress(host)) throw refusedTarget();
  const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
    method: 'POST',
    headers: { ...headers, 'content-length': Buffer.byteLength(body) },
    lookup: allowPrivate ? undefined : publicLookup(resolver ?? systemResolver()),
    agent: false,
  });
  const deadline = startDeadline(withinMs);
  try {
    return await new Promise<number>((done, failed) => {
      deadline.signal.addEventListener('abort', () =>
        failed(new StreamsError('TIMEOUT', `no answer within ${withinMs / 1000} s`)),
      );
      request.on('response', ({ statusCode = 0 }) => done(statusCode));
      // Without a listener for it Node takes an answer 101 for itself, and tells nobody.
      request.on('upgrade', ({ statusCode = 101 }, socket) => {
        socket.destroy();
        done(statusCode);
      });
      let interim = 0;
      request.on('information', () => {
        if (++interim > maxInterim)
          failed(new StreamsError('LIMIT_EXCEEDED', 'the endpoint sends interim answers only'));
      });
      request.on('error', (cause) => failed(cause instanceof StreamsError ? cause : closed(cause)));
      request.on('close', () => failed(closed(undefined)));
      request.end(body);
    });
  } finally {
    deadline.clear();
    request.on('error', () => {}); // the end of what is destroyed here
    request.destroy();
  }
}

function closed(cause: NodeJS.ErrnoException | undefined): StreamsError {
  return new StreamsError('TRANSPORT_CLOSED', cause?.code ?? 'connection failed', { cause });
}

/**
 * Asks the name servers itself: getaddrinfo would wait on one of Node's few threads for as long as a stranger's name server likes,
 * and files and other names would wait behind it. A new one each time, since the machine's name servers change.
 */
const systemResolver = (): Resolver => new Resolver({ timeout: 2000, tries: 2 });

const publicLookup =
  (resolver: Resolver): LookupFunction =>
  (hostname, options, callback) => {
    void Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]).then((answers) => {
      const addresses = answers.flatMap((answer, i) =>
        answer.status === 'fulfilled' ? answer.value.map((address) => ({ address, family: i === 0 ? 4 : 6 })) : [],
      );
      const [first] = addresses;
      const [unknown] = answers;
      if (first === undefined)
        return callback(unknown?.status === 'rejected' ? (unknown.reason as Error) : refusedTarget(), '', 4);
      if (addresses.some(({ address }) => isPrivateAddress(address))) return callback(refusedTarget(), '', 4);
      if (options.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };

function refusedTarget(): StreamsError {
  return new StreamsError('INVALID_ARGUMENT', 'url: leads to a private network address', {
    hint: 'The server takes these only with STREAMS_ALLOW_PRIVATE_WEBHOOKS=1.',
  });
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1');
}

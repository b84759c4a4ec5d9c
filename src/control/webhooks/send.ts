import { createHmac } from 'node:crypto';
import { lookup as resolve } from 'node:dns';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { StreamsError } from '../../core/errors.ts';
import { isPrivateAddress } from './private-address.ts';

const timeoutMs = 10_000;

export type Posting = {
  url: string;
  body: string;
  headers: Record<string, string>;
  /** Let it go to addresses that are not on the public Internet. */
  allowPrivate: boolean;
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
  const host = hostOf(url);
  if (
    !allowPrivate &&
    (host === 'localhost' || host.endsWith('.localhost') || (isIP(host) !== 0 && isPrivateAddress(host)))
  )
    throw refusedTarget();
  return url.href;
}

/**
 * POSTs once and answers the status; redirects are not followed and the answer's body is not read. What the name resolves to
 * is checked on the very connection. Throws INVALID_ARGUMENT for a private address, TIMEOUT, or TRANSPORT_CLOSED.
 */
export function post({ url: text, body, headers, allowPrivate }: Posting): Promise<number> {
  const url = new URL(text);
  const host = hostOf(url);
  return new Promise((done, failed) => {
    if (!allowPrivate && isIP(host) !== 0 && isPrivateAddress(host)) return failed(refusedTarget());
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
      method: 'POST',
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
      lookup: allowPrivate ? undefined : publicLookup,
      agent: false,
      signal: AbortSignal.timeout(timeoutMs),
    });
    request.on('response', (response) => {
      response.on('error', () => {});
      response.destroy();
      done(response.statusCode ?? 0);
    });
    request.on('error', (cause) => {
      if (cause instanceof StreamsError) failed(cause);
      else if (cause.name === 'TimeoutError' || cause.name === 'AbortError')
        failed(new StreamsError('TIMEOUT', `no answer within ${timeoutMs / 1000} s`));
      else
        failed(
          new StreamsError('TRANSPORT_CLOSED', (cause as NodeJS.ErrnoException).code ?? 'connection failed', { cause }),
        );
    });
    request.end(body);
  });
}

const publicLookup: LookupFunction = (hostname, options, callback) => {
  resolve(hostname, { ...options, all: true }, (error, addresses) => {
    const first = addresses?.[0];
    if (error || first === undefined) return callback(error ?? refusedTarget(), '', 4);
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

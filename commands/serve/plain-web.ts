import { isLoopback } from '../connection/known-relay.ts';

type Served = { host: string; urls: { http?: string; https?: string } };

/**
 * What does not work from other machines while the web pages come without TLS, and the command that mends it; undefined where nobody elsewhere
 * can come, or TLS is there.
 */
export function plainWebWarning({ host, urls }: Served): { message: string; hint: string } | undefined {
  if (urls.http === undefined || urls.https !== undefined) return undefined;
  if (isLoopback(host) || isLoopback(new URL(urls.http).hostname)) return undefined;
  return {
    message:
      'without TLS, browsers on other machines have no WebTransport (they play over WebSocket or LL-HLS instead) and no camera for WHIP, and keys travel in clear',
    hint: `streams serve --host ${host} --tls-cert fullchain.pem --tls-key privkey.pem --public-url https://<name in the certificate>:8443`,
  };
}

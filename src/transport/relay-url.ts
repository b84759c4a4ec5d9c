import { StreamsError } from '../core/errors.ts';
import { redactUrl } from '../core/log.ts';

export type RelayUrl = {
  /**
   * `https`: WebTransport over HTTP/3. `moqt`: MoQT on raw QUIC, path and authority in its SETUP. `ws`, `wss`: QMux over
   * WebSocket.
   */
  readonly scheme: 'https' | 'moqt' | 'ws' | 'wss';
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
  /** As in the URL, with the port when it was given. */
  readonly authority: string;
  /** Path and query, at least `/`. Never log the query. */
  readonly path: string;
  readonly isLoopback: boolean;
};

const schemes = ['https', 'moqt', 'ws', 'wss'] as const;

/** What to check when a relay does not answer. `url`: any; nothing but its port is repeated. */
export function unreachableHint(url: string): string {
  const { port, protocol } = URL.canParse(url) ? new URL(url) : { port: '', protocol: '' };
  const number = port || (protocol === 'ws:' ? '80' : '443');
  return `Is the relay running? Do the firewalls on the way let UDP port ${number} through, or TCP port ${number} for WebSocket? streams doctor tells.`;
}

/** Throws INVALID_ARGUMENT for what is no https:, moqt:, ws: or wss: URL. */
export function parseRelayUrl(text: string): RelayUrl {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const scheme = schemes.find((known) => url?.protocol === `${known}:`);
  if (url === undefined || scheme === undefined || url.hostname === '') {
    throw new StreamsError('INVALID_ARGUMENT', `not a relay URL: ${redactUrl(text)}`, {
      hint: 'A relay URL looks like https://host:4443/path, moqt://host:4443/path or ws://host:4443/path.',
    });
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return {
    scheme,
    host,
    // draft-ietf-moq-transport-18 3.1.2: moqt has the default port of https.
    port: url.port === '' ? (scheme === 'ws' ? 80 : 443) : Number(url.port),
    authority: url.host,
    path: (url.pathname === '' ? '/' : url.pathname) + url.search,
    isLoopback: host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host),
  };
}

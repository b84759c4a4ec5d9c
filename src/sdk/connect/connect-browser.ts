import { moqtProtocols } from '../../codec/moqt/dialects.ts';
import { connectBrowser } from '../../transport/browser.ts';
import { connectQmuxBrowser } from '../../transport/qmux/browser.ts';
import type { ConnectTransport } from '../viewer/viewer-types.ts';
import { firstToOpen, headStartMs } from './first-to-open.ts';

/** MoQT versions the viewer speaks, in the order of its preference. */
export const viewerProtocols: readonly string[] = moqtProtocols;

/**
 * The browser's own WebTransport; where there is none, or no UDP comes through, QMux over WebSocket on the TCP port of the
 * same number. `certificateHashes`: SHA-256 of certificates to accept instead of the browser's roots, which WebSocket does
 * not know.
 */
export function browserConnector(options: { certificateHashes?: Uint8Array[] } = {}): ConnectTransport {
  const versions = [...viewerProtocols];
  const byWebTransport = (url: string, signal: AbortSignal) =>
    connectBrowser({ url, protocols: versions, signal, ...options });
  return async (url, { signal, better }) => {
    if (better) return byWebTransport(url, signal);
    return firstToOpen(
      (own) => byWebTransport(url, own),
      (own) => connectQmuxBrowser({ url: webSocketUrl(url), versions, signal: own }),
      headStartMs,
      signal,
    );
  };
}

/**
 * Plain on this machine, where the relay has no certificate that a WebSocket would trust, and where the page itself came
 * plain from the same host; else with TLS.
 */
export function webSocketUrl(
  url: string,
  page: { protocol: string; hostname: string } | undefined = pageLocation(),
): string {
  const target = new URL(url);
  const { hostname } = target;
  const isLoopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
  const isPlain = isLoopback || (page?.protocol === 'http:' && page.hostname === hostname);
  return `${isPlain ? 'ws' : 'wss'}://${target.host}${target.pathname}${target.search}`;
}

function pageLocation(): { protocol: string; hostname: string } | undefined {
  return typeof location === 'undefined' ? undefined : location;
}

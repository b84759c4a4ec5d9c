import { connectBrowser } from '../transport/browser.ts';
import type { ConnectTransport } from './viewer-types.ts';

/** MoQT versions the viewer speaks, in the order of its preference. */
export const viewerProtocols: readonly string[] = ['moqt-18'];

/** The browser's own WebTransport. `certificateHashes`: SHA-256 of certificates to accept instead of the browser's roots. */
export function browserConnector(options: { certificateHashes?: Uint8Array[] } = {}): ConnectTransport {
  return (url, { signal }) => connectBrowser({ url, protocols: [...viewerProtocols], signal, ...options });
}

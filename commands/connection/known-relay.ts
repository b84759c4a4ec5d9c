import { fromHex } from '../../src/core/bytes.ts';
import { withDeadline } from '../../src/core/deadline.ts';
import type { GlobalOptions } from '../global-options.ts';
import { resolveConnection } from '../profile.ts';

/** The certificates of a relay, by its URL; undefined where its authority decides. Never rejects but with the signal's reason. */
export type KnownHashes = (url: string, signal: AbortSignal) => Promise<Uint8Array[] | undefined>;

const timeoutMs = 3000;

/**
 * A relay on another machine that has made its own certificate is known by what our control plane says of it. Only a control plane that flags,
 * environment or a profile name is asked, and it is told nothing.
 */
export function knownRelay(global: GlobalOptions, env: NodeJS.ProcessEnv): KnownHashes {
  return async (url, signal) => {
    const relay = URL.canParse(url) ? new URL(url) : undefined;
    if (relay === undefined || !/^(https|moqt):$/.test(relay.protocol) || isLoopback(relay.hostname)) return undefined;
    try {
      const { apiUrl } = await resolveConnection(global, env);
      const said = await withDeadline(timeoutMs, signal, async (soon) => {
        const response = await fetch(`${apiUrl}/endpoints.json`, { signal: soon, redirect: 'error' });
        return (await response.json()) as {
          relay?: { url?: unknown; publicUrl?: unknown; certificateSha256?: unknown } | null;
        };
      });
      const { url: own, publicUrl, certificateSha256: hash } = said.relay ?? {};
      const isIt = [own, publicUrl].some(
        (known) => typeof known === 'string' && hostAndPort(known) === hostAndPort(url),
      );
      return isIt && typeof hash === 'string' && /^[0-9a-f]{64}$/i.test(hash) ? [fromHex(hash)] : undefined;
    } catch {
      signal.throwIfAborted();
      return undefined;
    }
  };
}

export function isLoopback(hostname: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname);
}

/** `https:` and `moqt:` have one default port. */
function hostAndPort(url: string): string {
  const { hostname, port } = new URL(url.replace(/^moqt:/, 'https:'));
  return `${hostname}:${port || 443}`;
}

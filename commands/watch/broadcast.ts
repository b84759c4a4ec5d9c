import { StreamsError, toStreamsError } from '../../src/core/errors.ts';
import { webSocketUrl } from '../../src/sdk/connect/connect-browser.ts';
import { firstToOpen, headStartMs } from '../../src/sdk/connect/first-to-open.ts';
import type { ConnectTransport, ViewerState } from '../../src/sdk/index.ts';
import { connect } from '../../src/transport/connect.ts';
import { unreachableHint } from '../../src/transport/relay-url.ts';
import type { KnownHashes } from '../connection/known-relay.ts';
import { offeredProtocols, withOfferedVersion } from '../options/offered-protocols.ts';

/**
 * How viewer and publisher reach the relay from Node: WebTransport over QUIC; where that does not come through, WebSocket on the TCP port of the same number.
 * `trusted`: SHA-256 of certificates to accept, or who knows them; `names`: versions of MoQT to offer, all by default. Throws USAGE for a
 * version that there is not. What it returns rejects with RELAY_UNREACHABLE and what to check, or with what the relay said.
 */
export function nodeConnect(
  trusted: readonly Uint8Array[] | KnownHashes | undefined,
  names?: readonly string[],
): ConnectTransport {
  const versions = offeredProtocols(names);
  return async (url, { signal, better }) => {
    // Asked at every attempt: a relay renews its certificate.
    const hashes = typeof trusted === 'function' ? await trusted(url, signal) : trusted;
    const trust = hashes === undefined ? {} : { certificateHashes: [...hashes] };
    const byQuic = async (own: AbortSignal) =>
      withOfferedVersion(await connect(url, { versions, signal: own, ...trust }), versions);
    try {
      // A URL of WebSocket or raw QUIC names its way.
      if (better || !url.startsWith('https:')) return await byQuic(signal);
      return await firstToOpen(
        byQuic,
        (own) => connect(webSocketUrl(url), { versions, signal: own }),
        headStartMs,
        signal,
      );
    } catch (cause) {
      const { code, message, hint = unreachableHint(url) } = toStreamsError(cause);
      if (signal.aborted || (code !== 'RELAY_UNREACHABLE' && code !== 'TIMEOUT')) throw cause;
      throw new StreamsError('RELAY_UNREACHABLE', message, { hint, cause });
    }
  };
}

/** Throws USAGE for what is no playback URL; the message never holds its token. */
export function checkPlaybackUrl(url: string): void {
  if (URL.canParse(url) && /^(https?|wss?):$/.test(new URL(url).protocol)) return;
  throw new StreamsError('USAGE', 'that is not a playback URL', { hint: 'streams playback mint <lv_…>' });
}

const firstAttempts = 2;
const longestOutageMs = 60_000;

/**
 * When to stop trying to reach a relay: soon when it never answered, after a minute when it did. Returns the error to
 * give up with.
 */
export class Patience {
  #connected = false;
  #lostAt: number | undefined;

  state(state: ViewerState, now: number): StreamsError | undefined {
    if (state.name === 'waiting' || state.name === 'playing') {
      this.#connected = true;
      this.#lostAt = undefined;
    }
    if (state.name !== 'reconnecting') return undefined;
    this.#lostAt ??= now;
    const over = this.#connected ? now - this.#lostAt > longestOutageMs : state.attempt >= firstAttempts;
    return over ? state.error : undefined;
  }
}

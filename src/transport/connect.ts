import { fromHex } from '../core/bytes.ts';
import { deadlineSignal } from '../core/deadline.ts';
import { StreamsError, toStreamsError } from '../core/errors.ts';
import { redactUrl } from '../core/log.ts';
import { connectQmux } from './qmux/connect.ts';
import { connectQuic } from './quic/connect.ts';
import type { RelayUrl } from './relay-url.ts';
import { parseRelayUrl } from './relay-url.ts';
import type { Transport } from './transport.ts';
import { connectWebTransport } from './webtransport/connect.ts';

export type Trust = { roots: true } | { certificateHashes: Uint8Array[] } | { caPem: string } | { insecure: true };

export type ConnectOptions = {
  /** MoQT versions in our preference (`moqt-18`): subprotocols on https:, ALPN on moqt:. */
  versions: string[];
  /** SHA-256 of the certificates to accept; stands before `trust`. */
  certificateHashes?: Uint8Array[];
  /** Default: the system's roots; on a loopback host the hash the relay itself tells (`GET /certificate.sha256`). */
  trust?: Trust;
  signal?: AbortSignal;
  /** For the whole of it; default 10 000. */
  timeoutMs?: number;
};

/** A peer that was restarted answers the PING of a quiet connection with a reset, which is much sooner than the idle timeout. */
const keepAliveMs = 2000;

/**
 * Connects to a relay: `https:` is WebTransport, `moqt:` raw QUIC, `ws:` and `wss:` QMux over WebSocket, where
 * certificate hashes do not apply. Throws INVALID_ARGUMENT, RELAY_UNREACHABLE,
 * QUIC_UNAVAILABLE, TIMEOUT, INTERRUPTED, and what connectWebTransport throws for a refusal.
 */
export async function connect(url: string, options: ConnectOptions): Promise<Transport> {
  const target = parseRelayUrl(url);
  if (target.scheme === 'ws' || target.scheme === 'wss') return connectWebSocket(url, options);
  const shown = redactUrl(url);
  const deadline = Date.now() + (options.timeoutMs ?? 10_000);
  try {
    options.signal?.throwIfAborted();
    const trust = await trustFor(target, options, deadline);
    const base = await connectQuic({
      host: target.host,
      port: target.port,
      serverName: target.host,
      alpn: target.scheme === 'https' ? ['h3'] : options.versions,
      trust,
      timeoutMs: left(deadline),
      keepAliveMs,
      ...(options.signal !== undefined && { signal: options.signal }),
    });
    if (target.scheme === 'moqt') return base;
    return await openSession(base, target, options, deadline);
  } catch (cause) {
    if (options.signal?.aborted) throw new StreamsError('INTERRUPTED', `connecting to ${shown} was cancelled`);
    if (cause instanceof StreamsError && cause.code !== 'TRANSPORT_CLOSED') throw cause;
    const { message } = toStreamsError(cause);
    throw new StreamsError('RELAY_UNREACHABLE', `cannot reach the relay at ${shown}: ${message}`, { cause });
  }
}

function connectWebSocket(url: string, { versions, trust, signal, timeoutMs }: ConnectOptions): Promise<Transport> {
  return connectQmux({
    url,
    versions,
    ...(trust !== undefined && 'caPem' in trust && { caPem: trust.caPem }),
    ...(trust !== undefined && 'insecure' in trust && { insecure: true }),
    ...(signal !== undefined && { signal }),
    ...(timeoutMs !== undefined && { timeoutMs }),
  });
}

async function openSession(
  base: Transport,
  { authority, path }: RelayUrl,
  { versions, signal }: ConnectOptions,
  deadline: number,
): Promise<Transport> {
  const abort = () => base.close({ code: 0, reason: '' });
  signal?.addEventListener('abort', abort, { once: true });
  try {
    return await connectWebTransport(base, {
      authority,
      path,
      protocols: versions,
      handshakeTimeoutMs: left(deadline),
    });
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

async function trustFor(target: RelayUrl, options: ConnectOptions, deadline: number): Promise<Trust> {
  if (options.certificateHashes !== undefined) return { certificateHashes: options.certificateHashes };
  if (options.trust !== undefined) return options.trust;
  const hash = target.isLoopback ? await ownHash(target, options.signal, deadline) : undefined;
  return hash === undefined ? { roots: true } : { certificateHashes: [hash] };
}

/** A relay on this machine tells the hash of its certificate over plain HTTP; undefined when it has none to tell. */
async function ownHash(
  { host, port }: RelayUrl,
  signal: AbortSignal | undefined,
  deadline: number,
): Promise<Uint8Array | undefined> {
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  try {
    const response = await fetch(`http://${authority}/certificate.sha256`, {
      redirect: 'error',
      signal: deadlineSignal(left(deadline), ...(signal === undefined ? [] : [signal])),
    });
    const text = response.ok ? (await response.text()).trim() : '';
    return /^[0-9a-f]{64}$/i.test(text) ? fromHex(text) : undefined;
  } catch (cause) {
    throw new StreamsError('RELAY_UNREACHABLE', `no relay answers at http://${authority}`, {
      hint: 'Is it running? Start one with: streams serve',
      cause,
    });
  }
}

function left(deadline: number): number {
  return Math.max(1, deadline - Date.now());
}

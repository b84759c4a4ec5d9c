import { fromHex } from '../core/bytes.ts';
import { withDeadline } from '../core/deadline.ts';
import { StreamsError, toStreamsError } from '../core/errors.ts';
import { redactUrl } from '../core/log.ts';
import { connectQmux } from './qmux/connect.ts';
import { connectQuic } from './quic/connect.ts';
import type { QuicLimits } from './quic/limits.ts';
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
  /** Default: the public roots and NODE_EXTRA_CA_CERTS; on a loopback host the hash the relay itself tells (`GET /certificate.sha256`). */
  trust?: Trust;
  signal?: AbortSignal;
  /** For the whole of it; default 10 000. */
  timeoutMs?: number;
  /** Of a QUIC connection, instead of the defaults. */
  quic?: QuicLimits;
};

/** A peer that was restarted answers the PING of a quiet connection with a reset, which is much sooner than the idle timeout. */
const keepAliveMs = 2000;
/** Enough for what runs on this machine; a wrong port is then told soon. */
const loopbackTimeoutMs = 1500;

/**
 * Connects to a relay: `https:` is WebTransport, `moqt:` raw QUIC, `ws:` and `wss:` QMux over WebSocket, where
 * certificate hashes do not apply. Throws INVALID_ARGUMENT, RELAY_UNREACHABLE,
 * QUIC_UNAVAILABLE, TIMEOUT, INTERRUPTED, and what connectWebTransport throws for a refusal.
 */
export async function connect(url: string, options: ConnectOptions): Promise<Transport> {
  const target = parseRelayUrl(url);
  if (target.scheme === 'ws' || target.scheme === 'wss') return connectWebSocket(url, options);
  const shown = redactUrl(url);
  let deadline = Date.now() + (options.timeoutMs ?? 10_000);
  let hint: string | undefined;
  try {
    options.signal?.throwIfAborted();
    const trust = await trustFor(target, options, deadline);
    if (trust === undefined) {
      deadline = Math.min(deadline, Date.now() + loopbackTimeoutMs);
      hint =
        'Is it running (streams serve)? Does this machine trust its certificate (--cert-hash, NODE_EXTRA_CA_CERTS)?';
    }
    const base = await connectQuic({
      host: target.host,
      port: target.port,
      serverName: target.host,
      alpn: target.scheme === 'https' ? ['h3'] : options.versions,
      trust: trust ?? { roots: true },
      timeoutMs: left(deadline),
      keepAliveMs,
      ...options.quic,
      ...(options.signal !== undefined && { signal: options.signal }),
    });
    if (target.scheme === 'moqt') return base;
    return await openSession(base, target, options, deadline);
  } catch (cause) {
    if (options.signal?.aborted) throw new StreamsError('INTERRUPTED', `connecting to ${shown} was cancelled`);
    if (cause instanceof StreamsError && !['TRANSPORT_CLOSED', 'RELAY_UNREACHABLE'].includes(cause.code)) throw cause;
    const { code, message } = toStreamsError(cause);
    const words = code === 'RELAY_UNREACHABLE' ? message : `cannot reach the relay at ${shown}: ${message}`;
    throw new StreamsError('RELAY_UNREACHABLE', words, {
      cause,
      ...(hint !== undefined && { hint }),
    });
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
  // It may have come between the handshake and here.
  if (signal?.aborted) abort();
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

/** undefined: a relay on this machine that has no HTTP, or none at all. */
async function trustFor(target: RelayUrl, options: ConnectOptions, deadline: number): Promise<Trust | undefined> {
  if (options.certificateHashes !== undefined) return { certificateHashes: options.certificateHashes };
  if (options.trust !== undefined) return options.trust;
  return target.isLoopback ? ownHash(target, options.signal, deadline) : { roots: true };
}

/** A relay on this machine tells the hash of its certificate over plain HTTP, unless it has a real one. */
async function ownHash(
  { host, port }: RelayUrl,
  signal: AbortSignal | undefined,
  deadline: number,
): Promise<Trust | undefined> {
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  try {
    const text = await withDeadline(left(deadline), signal, async (soon) => {
      const response = await fetch(`http://${authority}/certificate.sha256`, { redirect: 'error', signal: soon });
      return response.ok ? (await response.text()).trim() : '';
    });
    return /^[0-9a-f]{64}$/i.test(text) ? { certificateHashes: [fromHex(text)] } : { roots: true };
  } catch {
    return undefined;
  }
}

function left(deadline: number): number {
  return Math.max(1, deadline - Date.now());
}

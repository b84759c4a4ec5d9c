import { lookup } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { StreamsError } from '../../core/errors.ts';
import type { Transport } from '../transport.ts';
import type { QuicLimits } from './limits.ts';
import { nativeLimits } from './limits.ts';
import type { NativeConnectOptions } from './native-types.ts';
import { QuicTransport } from './quic-transport.ts';
import { watchRefusal } from './refusal.ts';
import type { SharedSocket } from './shared-socket.ts';
import { sharedSocket } from './shared-socket.ts';

/** Whom a client believes. */
export type QuicTrust =
  /** The system's and the well-known public authorities. */
  | { roots: true }
  /** SHA-256 of the server certificate's DER form, as WebTransport's serverCertificateHashes; nothing else is checked. */
  | { certificateHashes: Uint8Array[] }
  /** These authorities beside the public ones. */
  | { caPem: string }
  /** Anyone. For tests and loopback only. */
  | { insecure: true };

export type QuicConnectOptions = QuicLimits & {
  host: string;
  port: number;
  /** In order of preference. */
  alpn: string[];
  /** Name asked for in TLS; default `host`. */
  serverName?: string;
  trust: QuicTrust;
  /** For the whole of it; default 10 000. */
  timeoutMs?: number;
  signal?: AbortSignal;
};

/** A name with two addresses is tried on both; the second starts this much later (RFC 8305). */
const staggerMs = 200;

/** Opens a connection. Rejects with RELAY_UNREACHABLE (the reason in words), INTERRUPTED or QUIC_UNAVAILABLE. */
export async function connectQuic(options: QuicConnectOptions): Promise<Transport> {
  const { signal } = options;
  if (signal?.aborted) throw interrupted();
  const socket = sharedSocket();
  const where = `${options.host.includes(':') ? `[${options.host}]` : options.host}:${options.port}`;
  const addresses = await lookup(options.host, { all: true }).catch((cause) => {
    throw unreachable(where, 'the name does not resolve', cause);
  });
  if (signal?.aborted) throw interrupted();
  return new Promise((resolve, reject) => {
    const undo: (() => void)[] = [];
    let settled = false;
    let pending = addresses.length;
    const settle = (finish: () => void) => {
      settled = true;
      for (const step of undo) step();
      finish();
    };
    const failed = (words: string) => {
      pending--;
      if (!settled && pending === 0) settle(() => reject(unreachable(where, words)));
    };
    const attempt = (ip: string) => {
      if (settled) return;
      let over = false;
      const fail = (words: string) => {
        if (over) return;
        over = true;
        failed(words);
      };
      undo.push(watchRefusal(ip, options.port, () => fail('nothing listens there')));
      dial(socket, ip, options, fail, (transport) => {
        if (settled) transport.close({ code: 0, reason: '' });
        else settle(() => resolve(transport));
      });
    };
    const abort = () => settle(() => reject(interrupted()));
    signal?.addEventListener('abort', abort, { once: true });
    undo.push(() => signal?.removeEventListener('abort', abort));
    for (const [index, { address }] of addresses.entries()) {
      if (index === 0) attempt(address);
      else {
        const timer = setTimeout(attempt, staggerMs * index, address);
        undo.push(() => clearTimeout(timer));
      }
    }
  });
}

function dial(
  socket: SharedSocket,
  ip: string,
  options: QuicConnectOptions,
  failed: (words: string) => void,
  connected: (transport: Transport) => void,
): void {
  const timeoutMs = options.timeoutMs ?? 10_000;
  let handle: number;
  try {
    handle = socket.native.connect({
      ip,
      port: options.port,
      serverName: options.serverName ?? options.host,
      alpn: options.alpn,
      ...nativeTrust(options.trust),
      timeoutMs,
      limits: nativeLimits(options),
    });
  } catch (cause) {
    failed(cause instanceof Error ? cause.message : String(cause));
    return;
  }
  socket.addDial(handle, {
    connected: (protocol, remoteAddress) => connected(new QuicTransport(socket, handle, protocol, remoteAddress)),
    failed: (cause, words) => failed(inWords(cause, words, options.alpn, timeoutMs)),
  });
}

function nativeTrust(trust: QuicTrust): Pick<NativeConnectOptions, 'trust' | 'hashes' | 'caPem'> {
  if ('certificateHashes' in trust) return { trust: 'hashes', hashes: trust.certificateHashes };
  if ('caPem' in trust) return { trust: 'roots', hashes: [], caPem: trust.caPem };
  if ('insecure' in trust) return { trust: 'insecure', hashes: [] };
  // As Node's own TLS does: authorities beside the public ones.
  const extra = process.env.NODE_EXTRA_CA_CERTS;
  return { trust: 'roots', hashes: [], ...(extra && { caPem: readFileSync(extra, 'utf8') }) };
}

/** `cause` as native/src/events.rs numbers it. */
function inWords(cause: number, words: string, alpn: string[], timeoutMs: number): string {
  if (cause === 1) return `no answer within ${timeoutMs} ms`;
  if (cause === 2) return 'it takes no more connections';
  if (cause === 3) return `it speaks none of ${alpn.join(', ')}`;
  if (cause === 4) return `TLS: ${words}`;
  return words;
}

function unreachable(where: string, words: string, cause?: unknown): StreamsError {
  return new StreamsError('RELAY_UNREACHABLE', `cannot reach ${where} over QUIC: ${words}`, { cause });
}

function interrupted(): StreamsError {
  return new StreamsError('INTERRUPTED', 'the connection attempt was given up');
}

import { lookup } from 'node:dns/promises';
import { deferred } from '../../core/deferred.ts';
import { StreamsError } from '../../core/errors.ts';
import { AcceptQueue } from '../accept-queue.ts';
import type { Listener, Transport } from '../transport.ts';
import type { QuicLimits } from './limits.ts';
import { firstStreams, nativeLimits } from './limits.ts';
import { QuicTransport } from './quic-transport.ts';
import type { ServerEvents, SharedSocket } from './shared-socket.ts';
import { sharedSocket } from './shared-socket.ts';

export type QuicListenOptions = QuicLimits & {
  /** An address or a name; '::' also takes IPv4, 'localhost' both loopback addresses. */
  host: string;
  /** 0 picks a free one. */
  port: number;
  /** In order of preference; a client that offers none of them is refused. */
  alpn: string[];
  certificatePem: string;
  privateKeyPem: string;
  /** Open connections and handshakes together; further ones are refused. Default 10 000. */
  maxConnections?: number;
  /** Default 10 000. */
  handshakeTimeoutMs?: number;
  /** With this many handshakes under way a new address must first answer a Retry (RFC 9000, 8.1.2). Default 64. */
  retryAboveHandshakes?: number;
  /**
   * 64 secret random bytes. A listener started anew on the port with the same key tells the peers of its predecessor at
   * their next packet that their connections are gone (stateless reset, RFC 9000, 10.3); else they time out.
   */
  resetKey?: Uint8Array;
};

export type QuicListenerStats = {
  /** Connections open now. */
  connections: number;
  /** Handshakes under way. */
  handshakes: number;
  /** Turned away since the start because of `maxConnections`. */
  refused: number;
  /** Handshakes that failed or took too long since the start. */
  failed: number;
  /** Addresses asked to prove themselves since the start. */
  retried: number;
};

export interface QuicListener extends Listener {
  accept(): Promise<Transport | null>;
  /** New connections get it, open ones keep theirs. Throws CONFIG_INVALID. */
  setCertificate(certificatePem: string, privateKeyPem: string): void;
  stats(): QuicListenerStats;
}

/** Opens the UDP port. Rejects with QUIC_UNAVAILABLE, PORT_IN_USE or CONFIG_INVALID. */
export async function listenQuic(options: QuicListenOptions): Promise<QuicListener> {
  const socket = sharedSocket();
  const addresses = await resolve(options.host);
  const listener = new SharedListener(socket, options.alpn);
  try {
    for (const [index, ip] of addresses.entries()) listener.bind(ip, options, index > 0);
  } catch (error) {
    await listener.close();
    throw error;
  }
  return listener;
}

async function resolve(host: string): Promise<string[]> {
  try {
    const found = await lookup(host, { all: true });
    // One loopback name, two sockets; any other name is one address.
    return host === 'localhost' ? [...new Set(found.map(({ address }) => address))] : [found[0]!.address];
  } catch (cause) {
    throw new StreamsError('CONFIG_INVALID', `cannot listen on ${host}: no such host`, { cause });
  }
}

class SharedListener implements QuicListener, ServerEvents {
  port = 0;
  readonly #socket: SharedSocket;
  readonly #alpn: string[];
  readonly #handles: number[] = [];
  readonly #queue = new AcceptQueue<Transport>();
  readonly #closed = deferred<void>();
  #most: { uni: number; bidi: number } | undefined;
  #open = 0;
  #closing = false;

  constructor(socket: SharedSocket, alpn: string[]) {
    this.#socket = socket;
    this.#alpn = alpn;
  }

  /** `optional`: the second address of a name need not exist on this machine. */
  bind(ip: string, options: QuicListenOptions, optional: boolean): void {
    const port = this.port === 0 ? options.port : this.port;
    const limits = nativeLimits(options);
    this.#most = { uni: limits.maxIncomingUni, bidi: limits.maxIncomingBidi };
    try {
      const bound = this.#socket.native.listen({
        ip,
        port,
        alpn: options.alpn,
        certificatePem: options.certificatePem,
        privateKeyPem: options.privateKeyPem,
        maxConnections: options.maxConnections ?? 10_000,
        handshakeTimeoutMs: options.handshakeTimeoutMs ?? 10_000,
        retryAboveHandshakes: options.retryAboveHandshakes ?? 64,
        ...(options.resetKey !== undefined && { resetKey: options.resetKey }),
        limits: {
          ...limits,
          maxIncomingUni: Math.min(firstStreams, limits.maxIncomingUni),
          maxIncomingBidi: Math.min(firstStreams, limits.maxIncomingBidi),
        },
      });
      this.port = bound.port;
      this.#handles.push(bound.handle);
      this.#open++;
      this.#socket.addServer(bound.handle, this);
    } catch (cause) {
      const words = cause instanceof Error ? cause.message : String(cause);
      if (words === 'EADDRINUSE') {
        const hint = `stop what listens there (ss -ulpn 'sport = :${port}'), or choose another port`;
        throw new StreamsError('PORT_IN_USE', `UDP port ${port} on ${ip} is in use`, { hint, cause });
      }
      if (!optional)
        throw new StreamsError('CONFIG_INVALID', `cannot listen on ${ip} port ${port}: ${words}`, { cause });
    }
  }

  accept(): Promise<Transport | null> {
    return this.#queue.next();
  }

  setCertificate(certificatePem: string, privateKeyPem: string): void {
    try {
      for (const handle of this.#handles) {
        this.#socket.native.setCertificate(handle, this.#alpn, certificatePem, privateKeyPem);
      }
    } catch (cause) {
      const words = cause instanceof Error ? cause.message : String(cause);
      throw new StreamsError('CONFIG_INVALID', `the new certificate is refused: ${words}`, { cause });
    }
  }

  stats(): QuicListenerStats {
    const total = { connections: 0, handshakes: 0, refused: 0, failed: 0, retried: 0 };
    for (const handle of this.#handles) {
      const counters = this.#socket.native.serverCounters(handle);
      total.connections += counters?.open ?? 0;
      total.handshakes += counters?.handshaking ?? 0;
      total.refused += counters?.refused ?? 0;
      total.failed += counters?.failed ?? 0;
      total.retried += counters?.retried ?? 0;
    }
    return total;
  }

  /** Closes the connections too, with code 0, and settles when the peers have been told. */
  async close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = true;
      for (const transport of this.#queue.close()) transport.close({ code: 0, reason: '' });
      for (const handle of this.#handles) this.#socket.native.closeServer(handle, 0, '');
      if (this.#open === 0) this.#closed.resolve();
    }
    return this.#closed.promise;
  }

  accepted(connection: number, protocol: string, remoteAddress: string): void {
    const transport = new QuicTransport(this.#socket, connection, protocol, remoteAddress, this.#most);
    if (this.#closing) transport.close({ code: 0, reason: '' });
    else this.#queue.push(transport);
  }

  closed(): void {
    this.#open--;
    if (this.#open === 0) this.#closed.resolve();
  }
}

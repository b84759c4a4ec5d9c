import { once } from 'node:events';
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse, type Http2Session } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import {
  type CertificateFiles,
  certificateName,
  followCertificate,
  readCertificate,
} from '../../access/certificate-files.ts';
import type { Logger } from '../../core/log.ts';
import { answerRequests, type Served } from './answer-requests.ts';
import { type HttpServer, http1Timeouts, listenError } from './listen.ts';

/** Of one connection: a player asks for a few at once. */
const maxConcurrentStreams = 128;
const handshakeTimeoutMs = 10_000;
/** A connection nothing is asked of. */
const idleMs = 60_000;

/** The files are read again when they change. */
export type SecureOptions = CertificateFiles & Served & { host: string; port: number; logger: Logger };

export type SecureServer = HttpServer & {
  /** The first name of the certificate that is one; undefined for one of addresses and wildcards only. */
  readonly name: string | undefined;
};

/**
 * HTTP/2 over TLS, and HTTP/1.1 for those who know no better, beside the plain listener. Throws PORT_IN_USE, and CONFIG_INVALID for
 * files that cannot be read or used.
 */
export async function listenSecure(options: SecureOptions): Promise<SecureServer> {
  const { host, port, logger } = options;
  const files = readCertificate(options);
  const server = createSecureServer(
    {
      ...files,
      allowHTTP1: true,
      handshakeTimeout: handshakeTimeoutMs,
      settings: { maxConcurrentStreams },
    },
    // The compatibility API has what requests of HTTP/1 have.
    answerRequests(options) as unknown as (incoming: Http2ServerRequest, outgoing: Http2ServerResponse) => void,
  );
  // Of those who speak HTTP/1.1. The constructor sets its own (five minutes for a whole request) and takes none.
  Object.assign(server, http1Timeouts, { connectionsCheckingInterval: 1000 });
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    options.bounds.admit(socket);
    if (socket.destroyed) return;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('session', (session: Http2Session) => {
    session.setTimeout(idleMs, () => session.close());
    session.on('error', () => session.destroy());
  });
  server.on('tlsClientError', () => {});
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw listenError(error as NodeJS.ErrnoException, { host, port, option: '--https-port' });
  }
  const unfollow = followCertificate(options, server, logger);
  return {
    port: (server.address() as AddressInfo).port,
    name: certificateName(files.cert),
    async close() {
      unfollow();
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

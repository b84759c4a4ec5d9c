import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createSecureServer, type Http2Session } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import {
  type CertificateFiles,
  certificateName,
  followCertificate,
  readCertificate,
} from '../../access/certificate-files.ts';
import type { Logger } from '../../core/log.ts';
import { type HttpServer, listenError } from './listen.ts';

const maxConnections = 2048;
/** Of one connection: a player asks for a few at once. */
const maxConcurrentStreams = 128;
const handshakeTimeoutMs = 10_000;
/** A connection nothing is asked of. */
const idleMs = 60_000;

/** The files are read again when they change. */
export type SecureOptions = CertificateFiles & {
  host: string;
  port: number;
  fetch(request: Request, remoteAddress: string): Promise<Response>;
  /** Looks at a request first; true: it answers by itself. */
  take(incoming: IncomingMessage, outgoing: ServerResponse): boolean;
  logger: Logger;
};

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
  const answer = getRequestListener(
    (request, env) =>
      options.fetch(request, (env as { incoming: IncomingMessage }).incoming.socket.remoteAddress ?? ''),
    { overrideGlobalObjects: false },
  );
  const files = readCertificate(options);
  const server = createSecureServer(
    {
      ...files,
      allowHTTP1: true,
      handshakeTimeout: handshakeTimeoutMs,
      settings: { maxConcurrentStreams },
    },
    (incoming, outgoing) => {
      // Its compatibility API has what the plain listener's requests have.
      const [request, response] = [incoming as unknown as IncomingMessage, outgoing as unknown as ServerResponse];
      if (!options.take(request, response)) void answer(request, response);
    },
  );
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    if (sockets.size >= maxConnections) {
      socket.destroy();
      return;
    }
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

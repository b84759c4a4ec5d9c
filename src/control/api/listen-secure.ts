import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createSecureServer, type Http2Session } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { StreamsError, toStreamsError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { type HttpServer, listenError } from './listen.ts';

const maxConnections = 2048;
/** Of one connection: a player asks for a few at once. */
const maxConcurrentStreams = 128;
const handshakeTimeoutMs = 10_000;
/** A connection nothing is asked of. */
const idleMs = 60_000;
const lookMs = 10_000;

export type SecureOptions = {
  host: string;
  port: number;
  /** PEM, the chain included; read again when the file changes. */
  certFile: string;
  keyFile: string;
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
  const { host, port, certFile, keyFile, logger } = options;
  const answer = getRequestListener(
    (request, env) =>
      options.fetch(request, (env as { incoming: IncomingMessage }).incoming.socket.remoteAddress ?? ''),
    { overrideGlobalObjects: false },
  );
  const files = readFiles(certFile, keyFile);
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
  const reload = () => {
    try {
      server.setSecureContext(readFiles(certFile, keyFile));
      logger.info('the certificate was read again');
    } catch (error) {
      logger.warn('the new certificate is no good; the old one stays', { reason: toStreamsError(error).message });
    }
  };
  watchFile(certFile, { interval: lookMs, persistent: false }, reload);
  return {
    port: (server.address() as AddressInfo).port,
    name: nameOf(files.cert),
    async close() {
      unwatchFile(certFile, reload);
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function readFiles(certFile: string, keyFile: string): { cert: string; key: string } {
  let files: { cert: string; key: string };
  try {
    files = { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
  } catch (cause) {
    throw new StreamsError('CONFIG_INVALID', `the certificate cannot be read: ${(cause as Error).message}`, { cause });
  }
  try {
    const matches = new X509Certificate(files.cert).checkPrivateKey(createPrivateKey(files.key));
    if (!matches) throw new StreamsError('CONFIG_INVALID', `${keyFile} is not the key of ${certFile}`);
  } catch (cause) {
    if (cause instanceof StreamsError) throw cause;
    throw new StreamsError('CONFIG_INVALID', `${certFile} or ${keyFile} is not PEM`, { cause });
  }
  return files;
}

function nameOf(cert: string): string | undefined {
  const names = new X509Certificate(cert).subjectAltName?.split(', ') ?? [];
  return names.map((name) => /^DNS:([^*]+)$/.exec(name)?.[1]).find((name) => name !== undefined);
}

import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createSecureServer, type TLSSocket } from 'node:tls';
import {
  type CertificateFiles,
  certificateName,
  followCertificate,
  readCertificate,
} from '../../../access/certificate-files.ts';
import { StreamsError } from '../../../core/errors.ts';
import { defaultHandshakeMs, RtmpSession, type RtmpSessionOptions } from './session.ts';

export type RtmpServerOptions = RtmpSessionOptions & {
  host: string;
  /** 0 picks a free one. */
  port: number;
  /** RTMPS: over TLS, with this certificate; its files are read again when they change. */
  tls?: CertificateFiles;
  /** Default 1024. */
  maxConnections?: number;
  /** Connections of one address; default 64. */
  maxPerAddress?: number;
};

/** Listens for encoders, in the clear or over TLS. Each connection is a session of its own. */
export class RtmpServer {
  readonly #server: Server;
  readonly #name: string | undefined;
  readonly #unfollow: () => void;
  /** Also those that are still shaking hands for TLS. */
  readonly #sockets = new Set<Socket>();
  readonly #sessions = new Map<Socket, RtmpSession>();
  readonly #perAddress = new Map<string, number>();

  private constructor(options: RtmpServerOptions) {
    const { tls, logger, maxConnections = 1024, handshakeMs = defaultHandshakeMs } = options;
    if (tls === undefined) {
      this.#server = createServer((socket) => {
        if (this.#accept(socket, options)) this.#begin(socket, options);
      });
      this.#unfollow = () => {};
    } else {
      const certificate = readCertificate(tls);
      const server = createSecureServer({ ...certificate, handshakeTimeout: handshakeMs });
      server.on('connection', (socket: Socket) => this.#accept(socket, options));
      server.on('secureConnection', (socket: TLSSocket) => this.#begin(socket, options));
      server.on('tlsClientError', (_error, socket) => socket.destroy());
      this.#server = server;
      this.#name = certificateName(certificate.cert);
      this.#unfollow = followCertificate(tls, server, logger);
    }
    this.#server.maxConnections = maxConnections;
  }

  /** Rejects with PORT_IN_USE or CONFIG_INVALID, that for a certificate that is no good too. */
  static async listen(options: RtmpServerOptions): Promise<RtmpServer> {
    const rtmp = new RtmpServer(options);
    const server = rtmp.#server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        rtmp.#unfollow();
        reject(listenError(error, options));
      });
      server.listen(options.port, options.host, resolve);
    });
    server.on('error', (error) => options.logger.error('RTMP listener', { reason: error.message }));
    return rtmp;
  }

  /** Port really bound. */
  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** The name its certificate is for, if for one. */
  get name(): string | undefined {
    return this.#name;
  }

  get connections(): number {
    return this.#sessions.size;
  }

  async close(): Promise<void> {
    this.#unfollow();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const session of this.#sessions.values()) session.close('the engine is shutting down');
    const impatient = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, 500);
    await closed;
    clearTimeout(impatient);
  }

  /** False when it is one too many. */
  #accept(socket: Socket, options: RtmpServerOptions): boolean {
    const address = socket.remoteAddress ?? '';
    const count = this.#perAddress.get(address) ?? 0;
    if (count >= (options.maxPerAddress ?? 64)) {
      options.logger.warn('RTMP connection refused: too many of one address', { address });
      socket.destroy();
      return false;
    }
    this.#perAddress.set(address, count + 1);
    this.#sockets.add(socket);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      const left = (this.#perAddress.get(address) ?? 1) - 1;
      if (left > 0) this.#perAddress.set(address, left);
      else this.#perAddress.delete(address);
    });
    return true;
  }

  #begin(socket: Socket, options: RtmpServerOptions): void {
    this.#sessions.set(socket, new RtmpSession(socket, options));
    socket.on('close', () => this.#sessions.delete(socket));
  }
}

function listenError(error: NodeJS.ErrnoException, { host, port, tls }: RtmpServerOptions): StreamsError {
  const [name, option] = tls === undefined ? ['RTMP', '--rtmp-port'] : ['RTMPS', '--rtmps-port'];
  if (error.code === 'EADDRINUSE')
    return new StreamsError('PORT_IN_USE', `port ${port} (${name}) is already in use`, {
      hint: `pass another with ${option}, or ${option} 0 for a free one`,
      cause: error,
    });
  return new StreamsError(
    'CONFIG_INVALID',
    `cannot listen for ${name} on ${host}:${port}: ${error.code ?? error.message}`,
    { cause: error },
  );
}

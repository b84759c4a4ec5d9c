import { createServer, type Server, type Socket } from 'node:net';
import { StreamsError } from '../../../core/errors.ts';
import { RtmpSession, type RtmpSessionOptions } from './session.ts';

export type RtmpServerOptions = RtmpSessionOptions & {
  host: string;
  /** 0 picks a free one. */
  port: number;
  /** Default 1024. */
  maxConnections?: number;
  /** Connections of one address; default 64. */
  maxPerAddress?: number;
};

/** Listens for encoders. Each connection is a session of its own. */
export class RtmpServer {
  readonly #server: Server;
  readonly #sessions = new Map<Socket, RtmpSession>();
  readonly #perAddress = new Map<string, number>();

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Rejects with PORT_IN_USE or CONFIG_INVALID. */
  static async listen(options: RtmpServerOptions): Promise<RtmpServer> {
    const server = createServer();
    const rtmp = new RtmpServer(server);
    server.maxConnections = options.maxConnections ?? 1024;
    server.on('connection', (socket) => rtmp.#accept(socket, options));
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, options)));
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

  get connections(): number {
    return this.#sessions.size;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const session of this.#sessions.values()) session.close('the engine is shutting down');
    const impatient = setTimeout(() => {
      for (const socket of this.#sessions.keys()) socket.destroy();
    }, 500);
    await closed;
    clearTimeout(impatient);
  }

  #accept(socket: Socket, options: RtmpServerOptions): void {
    const address = socket.remoteAddress ?? '';
    const count = this.#perAddress.get(address) ?? 0;
    if (count >= (options.maxPerAddress ?? 64)) {
      options.logger.warn('RTMP connection refused: too many of one address', { address });
      socket.destroy();
      return;
    }
    this.#perAddress.set(address, count + 1);
    this.#sessions.set(socket, new RtmpSession(socket, options));
    socket.on('close', () => {
      this.#sessions.delete(socket);
      const left = (this.#perAddress.get(address) ?? 1) - 1;
      if (left > 0) this.#perAddress.set(address, left);
      else this.#perAddress.delete(address);
    });
  }
}

function listenError(error: NodeJS.ErrnoException, { host, port }: RtmpServerOptions): StreamsError {
  if (error.code === 'EADDRINUSE')
    return new StreamsError('PORT_IN_USE', `port ${port} (RTMP) is already in use`, {
      hint: 'pass another with --rtmp-port, or --rtmp-port 0 for a free one',
      cause: error,
    });
  return new StreamsError(
    'CONFIG_INVALID',
    `cannot listen for RTMP on ${host}:${port}: ${error.code ?? error.message}`,
    { cause: error },
  );
}

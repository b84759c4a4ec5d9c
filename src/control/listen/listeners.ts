import { TrustedProxies } from '../../access/trusted-proxies.ts';
import type { Logger } from '../../core/log.ts';
import type { Served } from './answer-requests.ts';
import { ConnectionBounds } from './connection-bounds.ts';
import { type HttpServer, listen } from './listen.ts';
import { listenSecure, type SecureServer } from './listen-secure.ts';

export type ListenersOptions = {
  /** Address to listen on, e.g. `127.0.0.1`. */
  host: string;
  /** 0 picks a free one. */
  port: number;
  /** Serve the same over TLS too, by HTTP/2; PEM files. `port` 0 picks a free one. */
  https?: { port: number; certFile: string; keyFile: string };
  /** Port on 127.0.0.1 for engine and relay of this machine, which no outsider can fill; 0 picks a free one. Default: none. */
  internalPort?: number;
  /** Reverse proxies whose `x-forwarded-for` is believed: IP addresses and CIDR ranges. Default: none. */
  trustedProxies?: readonly string[];
  /** Connections of one address at once, trusted proxies excepted; default 1024. */
  maxConnectionsPerAddress?: number;
  /** How long a body may take that is not passed on to the engine, milliseconds; default 30 000. */
  bodyTimeoutMs?: number;
};

export type Listeners = {
  readonly port: number;
  readonly internalPort: number | undefined;
  readonly secure: SecureServer | undefined;
  close(): Promise<void>;
};

/** What the processes of one machine ask each other; nothing else is found on their listener. */
const internalPaths = /^\/(?:internal\/|\.well-known\/jwks\.json$|healthz$|readyz$)/;
/** Of processes of ours. */
const maxInternalConnections = 1024;

/** Opens all of them, or none. Throws PORT_IN_USE, CONFIG_INVALID, and USAGE for a proxy that is no address. */
export async function openListeners(
  options: ListenersOptions,
  { fetch, take, logger }: Pick<Served, 'fetch' | 'take'> & { logger: Logger },
): Promise<Listeners> {
  const { host, port, https, internalPort, maxConnectionsPerAddress: perAddress, bodyTimeoutMs } = options;
  const proxies = new TrustedProxies(options.trustedProxies ?? []);
  const bounds = new ConnectionBounds({
    ...(perAddress !== undefined && { perAddress }),
    unbounded: (address) => proxies.has(address),
  });
  const timeout = bodyTimeoutMs !== undefined && { bodyTimeoutMs };
  const served: Served = { fetch, ...(take && { take }), proxies, bounds, ...timeout };
  const open: HttpServer[] = [];
  const close = async () => {
    await Promise.all(open.map((server) => server.close()));
  };
  try {
    const plain = await listen({ ...served, host, port });
    open.push(plain);
    const secure = https && (await listenSecure({ ...https, ...served, host, logger }));
    if (secure !== undefined) open.push(secure);
    const internal =
      internalPort === undefined
        ? undefined
        : await listen({
            fetch: async (request, remoteAddress) =>
              internalPaths.test(new URL(request.url).pathname)
                ? fetch(request, remoteAddress)
                : new Response(null, { status: 404 }),
            proxies: new TrustedProxies([]),
            bounds: new ConnectionBounds({ total: maxInternalConnections, unbounded: () => true }),
            ...timeout,
            host: '127.0.0.1',
            port: internalPort,
          });
    if (internal !== undefined) open.push(internal);
    return { port: plain.port, internalPort: internal?.port, secure, close };
  } catch (error) {
    await close();
    throw error;
  }
}

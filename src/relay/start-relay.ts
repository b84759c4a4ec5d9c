import type { Authoriser } from '../access/grant.ts';
import { protocolsOf } from '../codec/moqt/dialects.ts';
import { moqtVersions, relayVersions } from '../codec/moqt/version-names.ts';
import { StreamsError, toStreamsError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { listenQuic, type QuicListener } from '../transport/quic/listen.ts';
import type { CongestionControl } from '../transport/quic/native-types.ts';
import type { Transport } from '../transport/transport.ts';
import type { Cluster } from './cluster/cluster.ts';
import { type ClusterSettings, startCluster } from './cluster/start-cluster.ts';
import { type DebugHttp, type DebugHttpOptions, serveDebugHttp } from './http/debug-http.ts';
import { httpRead } from './http/http-read.ts';
import { defaultLimits, type RelayLimits } from './limits.ts';
import { acceptConnections, connectionRate } from './listen/accept-connections.ts';
import { acceptWebSockets } from './listen/accept-web-sockets.ts';
import { type CertificateOptions, ensureCertificate, type RelayCertificate } from './listen/certificate.ts';
import { keepCertificate } from './listen/certificate-keeper.ts';
import { ensureResetKey } from './listen/reset-key.ts';
import { createRelay, type RelayStats } from './relay.ts';

export type ListenAddress = { readonly host: string; readonly port: number };
type CertificateFiles = NonNullable<CertificateOptions['files']>;

export type RelayOptions = {
  /** Address to listen on. */
  readonly host: string;
  /** UDP port (QUIC); 0 picks a free one. */
  readonly port: number;
  /** HTTP and WebSocket. Default: the TCP port of the same number; null: nowhere. */
  readonly http?: ListenAddress | null;
  /** The same with TLS; default: nowhere. */
  readonly https?: ListenAddress & { readonly tls: CertificateFiles };
  /** HTTP with `/metrics` and `/health`. Default: `/metrics` is part of `http`; null: nowhere. */
  readonly internal?: ListenAddress | null;
  /** MoQT versions offered, best first; default all we speak. */
  readonly versions?: readonly string[];
  /** The generated certificate is kept below it. */
  readonly dataDir: string;
  readonly tls?: CertificateFiles;
  /** Host names and addresses of the generated certificate, beside `host` and those of this machine. */
  readonly certificateHosts?: readonly string[];
  /** Decides what sessions may do. */
  readonly authoriser: Authoriser;
  readonly logger: Logger;
  readonly limits?: Partial<RelayLimits>;
  /** Of all its QUIC connections. */
  readonly congestionControl?: CongestionControl;
  readonly cluster?: ClusterSettings;
};

export interface Relay extends AsyncDisposable {
  readonly port: number;
  /** TCP ports in use. */
  readonly httpPort: number | undefined;
  readonly httpsPort: number | undefined;
  readonly internalPort: number | undefined;
  /** SHA-256 of the certificate in use, hexadecimal. */
  readonly certificateSha256: string;
  /** The process has caught an error that no session is known for: for the count of faults. */
  processFault(): void;
  stats(): RelayStats;
  /** Asks all to leave (GOAWAY), waits for them up to `timeoutMs`, and closes. See RelayCore. */
  drain(options: { uri?: string; timeoutMs: number }): Promise<void>;
  /** Ends all sessions and stops listening. Idempotent. */
  close(): Promise<void>;
}

/** How often the user's certificate files are looked at. */
const filesEveryMs = 60_000;

/** With port 0 the TCP port of the number that UDP got may be taken. */
const maxPortAttempts = 10;

/**
 * Starts the relay: QUIC (WebTransport and raw MoQT), HTTP and WebSocket on one port. Throws PORT_IN_USE, CONFIG_INVALID,
 * QUIC_UNAVAILABLE.
 */
export async function startRelay(options: RelayOptions): Promise<Relay> {
  const { host, logger, authoriser } = options;
  const names = knownVersions(options.versions ?? relayVersions);
  const versions = protocolsOf(names);
  const limits = { ...defaultLimits, ...options.limits };
  const certificateOptions = {
    dataDir: options.dataDir,
    hosts: [...(isWildcard(host) ? [] : [host]), ...(options.certificateHosts ?? [])],
    ...(options.tls !== undefined && { files: options.tls }),
  };
  let certificate = await ensureCertificate(certificateOptions);
  const { congestionControl } = options;
  const quic = congestionControl === undefined ? {} : { congestionControl };
  const hopId = options.cluster?.id;
  const core = createRelay({ authoriser, logger, limits, ...(hopId !== undefined && { hopId }) });
  const connections = new Set<Transport>();
  const accept = { core, versions, limits, logger, connections, rate: connectionRate(limits) };
  const web = {
    certificateSha256: () => certificate.sha256,
    read: httpRead({ core, authoriser, rate: accept.rate, version: moqtVersions[0] }),
    maxUpgraded: limits.maxSessions,
    attach: (server) => acceptWebSockets(server, accept.rate, accept),
    ...(options.internal === undefined && { stats: () => core.stats() }),
  } satisfies Partial<DebugHttpOptions>;
  const open: { close(): Promise<void> | void }[] = [];
  const others = async (): Promise<{ https?: DebugHttp; internal?: DebugHttp }> => {
    const { https, internal } = options;
    const secure = https && (await serveHttps(https, web, options));
    if (secure !== undefined) open.push(secure);
    const inner = internal && (await serveDebugHttp({ ...internal, stats: () => core.stats() }));
    if (inner) open.push(inner);
    return { ...(secure && { https: secure }), ...(inner && { internal: inner }) };
  };
  const { listener, http } = await listen(options, versions, certificate, limits, (address) =>
    serveDebugHttp({ ...web, ...address }),
  );
  open.push(listener, ...(http === undefined ? [] : [http]));
  let cluster: Cluster | undefined;
  let further: Awaited<ReturnType<typeof others>>;
  try {
    further = await others();
    if (options.cluster !== undefined)
      cluster = await startCluster(core, options.cluster, { versions: names, logger, ...quic });
  } catch (error) {
    await Promise.all(open.map((each) => each.close()));
    throw error;
  }
  const stopKeeping = keepCertificate(
    certificateOptions,
    certificate,
    (next) => {
      listener.setCertificate(next.certificatePem, next.privateKeyPem);
      certificate = next;
    },
    logger,
    options.tls && filesEveryMs,
  );
  const accepting = acceptConnections(listener, accept);
  logger.info('relay is listening', { host, port: listener.port, versions: names.join(' ') });

  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= (async () => {
      stopKeeping();
      await cluster?.stop();
      await core.close();
      // Closing the listener would cut the word to them off.
      await Promise.all([...connections].map((connection) => connection.closed));
      await Promise.all(open.map((each) => each.close()));
      await accepting;
    })();
    return closed;
  };
  return {
    port: listener.port,
    httpPort: http?.port,
    httpsPort: further.https?.port,
    internalPort: further.internal?.port,
    get certificateSha256() {
      return certificate.sha256;
    },
    processFault: () => core.processFault(),
    stats: () => core.stats(),
    async drain(drainOptions) {
      await core.drain(drainOptions);
      await close();
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function listen(
  options: RelayOptions,
  versions: readonly string[],
  certificate: RelayCertificate,
  limits: RelayLimits,
  serveHttp: (address: ListenAddress) => Promise<DebugHttp>,
): Promise<{ listener: QuicListener; http: DebugHttp | undefined }> {
  const { host, http } = options;
  const resetKey = await ensureResetKey(options.dataDir);
  for (let attempt = 1; ; attempt++) {
    let listener: QuicListener | undefined;
    try {
      listener = await listenQuic({
        host: options.host,
        port: options.port,
        alpn: ['h3', ...versions],
        certificatePem: certificate.certificatePem,
        privateKeyPem: certificate.privateKeyPem,
        maxConnections: limits.maxSessions,
        handshakeTimeoutMs: limits.handshakeMs,
        idleTimeoutMs: limits.idleTimeoutMs,
        keepAliveMs: limits.keepAliveMs,
        streamHighWaterBytes: limits.streamBytes,
        ...(options.congestionControl !== undefined && { congestionControl: options.congestionControl }),
        resetKey,
      });
      if (http === null) return { listener, http: undefined };
      return { listener, http: await serveHttp(http ?? { host, port: listener.port }) };
    } catch (cause) {
      await listener?.close();
      const { code } = toStreamsError(cause);
      if (code !== 'PORT_IN_USE') throw cause;
      if (options.port === 0 && http === undefined && attempt < maxPortAttempts) continue;
      if (listener !== undefined && http !== undefined) throw cause;
      const protocol = listener === undefined ? 'UDP' : 'TCP';
      throw new StreamsError(
        'PORT_IN_USE',
        `${protocol} port ${options.port} is in use, the relay needs UDP and TCP of it`,
        {
          hint: 'choose another with --relay-port <port>, or 0 for a free one',
          cause,
        },
      );
    }
  }
}

async function serveHttps(
  { tls, ...address }: NonNullable<RelayOptions['https']>,
  web: Omit<DebugHttpOptions, 'host' | 'port'>,
  { dataDir, logger }: RelayOptions,
): Promise<DebugHttp> {
  const files = { dataDir, hosts: [], files: tls };
  const certificate = await ensureCertificate(files);
  const https = await serveDebugHttp({ ...web, ...address, tls: certificate });
  const stop = keepCertificate(
    files,
    certificate,
    (next) => https.setCertificate(next.certificatePem, next.privateKeyPem),
    logger,
    filesEveryMs,
  );
  const close = (): Promise<void> => {
    stop();
    return https.close();
  };
  return { ...https, close };
}

function knownVersions(versions: readonly string[]): readonly string[] {
  for (const version of versions) {
    if (!relayVersions.includes(version)) {
      throw new StreamsError('CONFIG_INVALID', `MoQT version ${version} is not supported`, {
        hint: `supported: ${relayVersions.join(', ')}`,
      });
    }
  }
  if (versions.length === 0) throw new StreamsError('CONFIG_INVALID', 'no MoQT version to offer');
  return versions;
}

function isWildcard(host: string): boolean {
  return host === '' || host === '0.0.0.0' || host === '::';
}

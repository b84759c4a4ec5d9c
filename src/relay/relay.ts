import { httpRedeem } from '../access/http-redeem.ts';
import { KeySet } from '../access/jwks.ts';
import { PlaybackTokens } from '../access/playback-token.ts';
import { Revocations } from '../access/revocations.ts';
import { moqtProtocols } from '../codec/moqt/dialects.ts';
import { StreamsError, toStreamsError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { listenQuic, type QuicListener } from '../transport/quic/listen.ts';
import { acceptConnections, connectionRate } from './accept-connections.ts';
import { acceptWebSockets } from './accept-web-sockets.ts';
import { pathAuthoriser } from './authorise.ts';
import { ensureCertificate, type RelayCertificate } from './certificate.ts';
import { keepCertificate } from './certificate-keeper.ts';
import { createRelay, type RelayStats } from './create-relay.ts';
import { type DebugHttp, serveDebugHttp } from './debug-http.ts';
import { httpPublishAuthoriser } from './http-publish-authoriser.ts';
import { defaultLimits, type RelayLimits } from './limits.ts';

export type RelayOptions = {
  /** Address to listen on. */
  readonly host: string;
  /** UDP (QUIC) and TCP (HTTP) port of the same number; 0 picks a free one. */
  readonly port: number;
  /** MoQT versions offered, best first; default all we speak. */
  readonly versions?: readonly string[];
  /** The generated certificate is kept below it. */
  readonly dataDir: string;
  readonly tls?: { readonly certificateFile: string; readonly keyFile: string };
  /** Control plane: stream keys are checked there, playback keys come from there. */
  readonly controlUrl: string;
  readonly serviceToken: string;
  /** `iss` of playback tokens. */
  readonly issuer: string;
  readonly logger: Logger;
  readonly limits?: Partial<RelayLimits>;
};

export interface Relay extends AsyncDisposable {
  readonly port: number;
  /** SHA-256 of the certificate in use, hexadecimal. */
  readonly certificateSha256: string;
  stats(): RelayStats;
  /** Ends all sessions and stops listening. Idempotent. */
  close(): Promise<void>;
}

/** With port 0 the TCP port of the number that UDP got may be taken. */
const maxPortAttempts = 10;

/**
 * Starts the relay: QUIC (WebTransport and raw MoQT), HTTP and WebSocket on one port. Throws PORT_IN_USE, CONFIG_INVALID,
 * QUIC_UNAVAILABLE.
 */
export async function startRelay(options: RelayOptions): Promise<Relay> {
  const { host, logger } = options;
  const versions = knownVersions(options.versions ?? moqtProtocols);
  const limits = { ...defaultLimits, ...options.limits };
  const certificateOptions = {
    dataDir: options.dataDir,
    hosts: isWildcard(host) ? [] : [host],
    ...(options.tls !== undefined && { files: options.tls }),
  };
  let certificate = await ensureCertificate(certificateOptions);

  const keys = new KeySet({ url: new URL('/.well-known/jwks.json', options.controlUrl).href, logger });
  const { controlUrl, serviceToken, issuer } = options;
  const revocations = new Revocations({ controlUrl, serviceToken, logger });
  const authoriser = pathAuthoriser(
    httpPublishAuthoriser({ controlUrl, serviceToken }),
    new PlaybackTokens({ keys, issuer, revocations, redeem: httpRedeem({ controlUrl, serviceToken }) }),
    revocations,
  );
  const core = createRelay({ authoriser, logger, limits });
  const accept = { core, versions, limits, logger, rate: connectionRate(limits) };
  const { listener, http } = await listen(options, versions, certificate, limits, (port) =>
    serveDebugHttp({
      host,
      port,
      certificateSha256: () => certificate.sha256,
      stats: () => core.stats(),
      maxUpgraded: limits.maxSessions,
      attach: (server) => acceptWebSockets(server, accept.rate, accept),
    }),
  );
  const stopKeeping = keepCertificate(
    certificateOptions,
    certificate,
    (next) => {
      listener.setCertificate(next.certificatePem, next.privateKeyPem);
      certificate = next;
    },
    logger,
  );
  const accepting = acceptConnections(listener, accept);
  logger.info('relay is listening', { host, port: listener.port, versions: versions.join(' ') });

  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= (async () => {
      stopKeeping();
      await core.close();
      await Promise.all([listener.close(), http.close()]);
      await accepting;
    })();
    return closed;
  };
  return {
    port: listener.port,
    get certificateSha256() {
      return certificate.sha256;
    },
    stats: () => core.stats(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function listen(
  options: RelayOptions,
  versions: readonly string[],
  certificate: RelayCertificate,
  limits: RelayLimits,
  serveHttp: (port: number) => Promise<DebugHttp>,
): Promise<{ listener: QuicListener; http: DebugHttp }> {
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
      });
      return { listener, http: await serveHttp(listener.port) };
    } catch (cause) {
      await listener?.close();
      const { code } = toStreamsError(cause);
      if (code !== 'PORT_IN_USE') throw cause;
      if (options.port === 0 && attempt < maxPortAttempts) continue;
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

function knownVersions(versions: readonly string[]): readonly string[] {
  for (const version of versions) {
    if (!moqtProtocols.includes(version)) {
      throw new StreamsError('CONFIG_INVALID', `MoQT version ${version} is not supported`, {
        hint: `supported: ${moqtProtocols.join(', ')}`,
      });
    }
  }
  if (versions.length === 0) throw new StreamsError('CONFIG_INVALID', 'no MoQT version to offer');
  return versions;
}

function isWildcard(host: string): boolean {
  return host === '' || host === '0.0.0.0' || host === '::';
}

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { certificateCovers, readCertificate } from '../access/certificate-files.ts';
import { localOrgId } from '../core/ids.ts';
import type { Logger } from '../core/log.ts';
import { type Endpoints, type Listens, type ToldEndpoints, toldEndpoints } from './addresses.ts';
import { createApp } from './api/app.ts';
import { loadMasterKey } from './auth/master-key.ts';
import { type Rate, type RateLimit, TokenBuckets } from './auth/rate-limit.ts';
import { SigningKeys } from './auth/signing-keys.ts';
import { StoredRateLimit } from './auth/stored-rate-limit.ts';
import { Vault } from './auth/vault.ts';
import { ensureLocalAdminKey, ensureOrg, installIssuer } from './bootstrap.ts';
import type { ControlContext } from './context.ts';
import { EngineProxy } from './engine-proxy/engine-proxy.ts';
import { httpUrl } from './listen/listen.ts';
import type { SecureServer } from './listen/listen-secure.ts';
import { type Listeners, type ListenersOptions, openListeners } from './listen/listeners.ts';
import { Liveness } from './liveness.ts';
import { defaultQuotas } from './quotas.ts';
import { parseRetention } from './retention.ts';
import { Cleaner } from './store/forget.ts';
import { openPostgresStore } from './store/postgres.ts';
import { checkpoint, openSqliteStore } from './store/sqlite.ts';
import { openSqliteReader } from './store/sqlite-reader.ts';
import { Dispatcher } from './webhooks/dispatcher.ts';

const sweepIntervalMs = 1000;
/** So often what was written goes into `control.db` itself, also where it is little. */
const checkpointIntervalMs = 60_000;

export type ControlOptions = ListenersOptions & {
  /** Holds `control.db` and `master.key`; made with mode 0700 when missing. */
  dataDir: string;
  /**
   * Postgres to keep everything in instead of `control.db`; processes that share it share `STREAMS_MASTER_KEY` too. Default:
   * STREAMS_DATABASE_URL.
   */
  databaseUrl?: string | undefined;
  /** A Postgres whose answer takes longer counts as away. Default 30 s. */
  storeTimeoutMs?: number | undefined;
  /** What engine and relay show at `/internal/…`. */
  serviceToken: string;
  /** Built web pages: `index.html`, `watch.html`, `assets/`. */
  webDir?: string;
  logger: Logger;
  /** Let webhooks lead to private network addresses. Default: whether STREAMS_ALLOW_PRIVATE_WEBHOOKS is 1. */
  allowPrivateWebhooks?: boolean;
  /** How long an endpoint of a webhook may take to answer. Default 10 s. */
  webhookAttemptMs?: number | undefined;
  /** Milliseconds since the Unix epoch; for tests. */
  now?: () => number;
};

export interface Control extends AsyncDisposable {
  readonly port: number;
  /** Where there is one. */
  readonly internalPort: number | undefined;
  /** `https://name:port`, where it is served over TLS. */
  readonly httpsUrl: string | undefined;
  /** `iss` of every playback token: `streams:` and the id of this installation. Never changes. */
  readonly issuer: string;
  /** Tells where the others listen; every answer from now on uses it. Replaces what was set before. */
  setEndpoints(endpoints: Endpoints): void;
  /** The endpoints as people are told them who do not ask by a name of their own. */
  told(): ToldEndpoints;
  /**
   * Makes the local org, its first signing key and, when the org has no usable admin key, one: its cleartext is in this
   * answer and nowhere else. `newApiKey`: makes one in any case.
   */
  bootstrap(options?: { newApiKey?: boolean }): Promise<{ apiKey?: string }>;
  /** The HTTP surface without a socket. `remoteAddress` is what rate limits go by. */
  fetch(request: Request, remoteAddress?: string): Promise<Response>;
  /** Stops listening, ends open connections, closes the store. Idempotent. */
  close(): Promise<void>;
}

/**
 * Opens the store, brings it to the newest schema and serves the HTTP API. Throws PORT_IN_USE, or CONFIG_INVALID when the
 * data directory, the store or the master key is unusable.
 */
export async function startControl(options: ControlOptions): Promise<Control> {
  const { logger, dataDir, now = Date.now } = options;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const vault = new Vault(loadMasterKey(dataDir, process.env.STREAMS_MASTER_KEY, logger));
  const retention = parseRetention(process.env.STREAMS_RETENTION);
  const databaseUrl = options.databaseUrl ?? process.env.STREAMS_DATABASE_URL;
  const db = databaseUrl
    ? await openPostgresStore(databaseUrl, logger, { queryTimeoutMs: options.storeTimeoutMs })
    : await openSqliteStore(join(dataDir, 'control.db'));
  // A query of Postgres' is another process' work, and blocks nobody here.
  const reader = databaseUrl ? db : openSqliteReader(join(dataDir, 'control.db'));
  const closeStore = async () => {
    if (reader !== db) {
      await reader.destroy();
      await checkpoint(db, { whole: true }).catch((error: Error) =>
        logger.warn('the store keeps what was written last in control.db-wal', { detail: error.message }),
      );
    }
    await db.destroy();
  };
  let listeners: Listeners | undefined;
  try {
    const issuer = await installIssuer(db);
    await ensureOrg(db, localOrgId, 'local', now());
    const liveness = new Liveness(db, now, logger);
    let endpoints: Endpoints = {};
    let toldName: string | undefined;
    const cert = options.https === undefined ? undefined : readCertificate(options.https).cert;
    const listens = (): Listens => ({
      host: options.host,
      port: listeners?.port ?? options.port,
      ...(listeners?.secure !== undefined &&
        cert !== undefined && {
          https: {
            port: listeners.secure.port,
            name: listeners.secure.name,
            covers: (name: string) => certificateCovers(cert, name),
          },
        }),
    });
    // A SQLite store has one process, whose memory costs no write.
    const limit = (name: string, rate: Rate): RateLimit =>
      databaseUrl ? new StoredRateLimit(db, now, name, rate) : new TokenBuckets(now, rate);
    const context: ControlContext = {
      db,
      reader,
      now,
      logger,
      issuer,
      vault,
      signingKeys: new SigningKeys(vault),
      liveness,
      failures: limit('failures', { capacity: 20, refillMs: 3000 }),
      orgMints: limit('org mints', { capacity: defaultQuotas.tokensPerMinute, refillMs: 2 }),
      mints: limit('mints', { capacity: 1000, refillMs: 10 }),
      allowPrivateWebhooks: options.allowPrivateWebhooks ?? process.env.STREAMS_ALLOW_PRIVATE_WEBHOOKS === '1',
      endpoints: (asked, forAsker) => toldEndpoints(endpoints, listens(), asked, forAsker),
    };
    const app = createApp(context, { serviceToken: options.serviceToken, webDir: options.webDir });
    const answer = async (request: Request, remoteAddress = 'in-process') => app.fetch(request, { remoteAddress });
    const { serviceToken } = options;
    const proxy = new EngineProxy({ engineUrl: () => endpoints.engineUrl, serviceToken, logger });
    listeners = await openListeners(options, {
      fetch: answer,
      take: (incoming, outgoing, remoteAddress) => proxy.take(incoming, outgoing, remoteAddress),
      logger,
    });
    const { port, internalPort, secure, close: stop } = listeners;
    const dispatcher = new Dispatcher({
      db,
      vault,
      logger,
      now,
      allowPrivate: context.allowPrivateWebhooks,
      attemptMs: options.webhookAttemptMs,
    });
    const timer = setInterval(() => {
      liveness.sweep().catch((error: Error) => logger.error('sweep failed', { detail: error.message }));
    }, sweepIntervalMs);
    timer.unref();
    const checkpoints = setInterval(() => {
      if (reader === db) return; // Postgres sees to it by itself
      checkpoint(db).catch((error: Error) => logger.warn('checkpoint failed', { detail: error.message }));
    }, checkpointIntervalMs);
    checkpoints.unref();
    const cleaner = new Cleaner(db, now, logger, retention);

    let closing: Promise<void> | undefined;
    const close = () => {
      closing ??= (async () => {
        clearInterval(timer);
        clearInterval(checkpoints);
        liveness.close();
        await cleaner.close();
        await stop();
        await proxy.close();
        await dispatcher.close();
        await closeStore();
      })();
      return closing;
    };
    return {
      port,
      internalPort,
      httpsUrl: secureUrl(options.host, secure),
      issuer,
      setEndpoints(next) {
        endpoints = { ...next };
        const { by, name } = context.endpoints().addresses;
        if (name !== toldName) logger.info('people are told addresses by this name', { name, from: by });
        toldName = name;
      },
      told: () => context.endpoints(),
      async bootstrap({ newApiKey = false } = {}) {
        await context.signingKeys.current(db, localOrgId, now());
        const apiKey = await ensureLocalAdminKey(db, now(), newApiKey);
        return apiKey === undefined ? {} : { apiKey };
      },
      fetch: answer,
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await listeners?.close();
    await closeStore();
    throw error;
  }
}

function secureUrl(host: string, secure: SecureServer | undefined): string | undefined {
  if (secure === undefined) return undefined;
  const { port, name } = secure;
  return httpUrl(name ?? host, port).replace(/^http:/, 'https:');
}

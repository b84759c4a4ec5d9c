import {
  CompiledQuery,
  type DatabaseConnection,
  Kysely,
  PostgresDialect,
  type PostgresDialectConfig,
  PostgresDriver,
} from 'kysely';
import type { CustomTypesConfig } from 'pg';
import { StreamsError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { cleaningText } from './clean-text.ts';
import { migrate } from './migrate.ts';
import { outlivingPool } from './postgres-pool.ts';
import type { Db, Tables } from './schema.ts';

const poolSize = 10;
const connectTimeoutMs = 10_000;
/** Any number that no other program on the database uses for its own locks. */
const writerLock = 0x73_74_72_6d;
const migrationLock = writerLock + 1;

/**
 * Lets one transaction write at a time, over all processes on the database, as SQLite does. A transaction that reads first can
 * then never decide on what another is about to change, and none has to be tried again.
 */
class OneWriterDriver extends PostgresDriver {
  override async beginTransaction(
    connection: DatabaseConnection,
    settings: Parameters<PostgresDriver['beginTransaction']>[1],
  ): Promise<void> {
    await super.beginTransaction(connection, settings);
    await connection.executeQuery(CompiledQuery.raw(`select pg_advisory_xact_lock(${writerLock})`));
  }
}

class OneWriterDialect extends PostgresDialect {
  readonly #config: PostgresDialectConfig;
  constructor(config: PostgresDialectConfig) {
    super(config);
    this.#config = config;
  }
  override createDriver(): PostgresDriver {
    return new OneWriterDriver(this.#config);
  }
}

/**
 * Opens a Postgres store (`postgresql://user:password@host/database`) and brings it to the newest schema. Throws CONFIG_INVALID
 * when it cannot be reached or is newer than this program. Once open, whatever needs it while it is away throws STORE_UNAVAILABLE.
 */
export async function openPostgresStore(url: string, logger: Logger, options: PostgresOptions = {}): Promise<Db> {
  // A migration may take longer than any query that serves somebody.
  const store = await connectPostgres(url, logger, { queryTimeoutMs: 0 });
  try {
    await store.connection().execute(async (connection) => {
      await connection.executeQuery(CompiledQuery.raw(`select pg_advisory_lock(${migrationLock})`));
      try {
        await migrate(connection);
      } finally {
        await connection.executeQuery(CompiledQuery.raw(`select pg_advisory_unlock(${migrationLock})`));
      }
    });
  } catch (cause) {
    if (cause instanceof StreamsError && cause.code === 'CONFIG_INVALID') throw cause;
    throw new StreamsError('CONFIG_INVALID', `cannot open the Postgres store: ${reasonOf(cause)}`, {
      hint: 'Check STREAMS_DATABASE_URL, and that the server runs and lets this user create tables.',
      cause,
    });
  } finally {
    await store.destroy();
  }
  return connectPostgres(url, logger, options);
}

function reasonOf(error: unknown): string {
  const { cause } = error as { cause?: unknown };
  return cause instanceof Error ? cause.message : (error as Error).message;
}

export type PostgresOptions = {
  /** Clients at once. Default 10. */
  size?: number | undefined;
  /** A connection whose answer takes longer is given up; 0: waits for ever. Default 30 s. */
  queryTimeoutMs?: number | undefined;
};

/** Opens the database with whatever schema it has; connects with the first query. */
export async function connectPostgres(url: string, logger: Logger, options: PostgresOptions = {}): Promise<Db> {
  const { default: pg } = await import('pg');
  const { size = poolSize, queryTimeoutMs = 30_000 } = options;
  const pool = new pg.Pool({
    connectionString: url,
    max: size,
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: queryTimeoutMs,
    keepAlive: true,
    application_name: 'streams',
    types: plainNumbers(pg.types),
  });
  const dialect = new OneWriterDialect({ pool: outlivingPool(pool, pg.DatabaseError, logger) });
  return new Kysely<Tables>({ dialect: cleaningText(dialect) });
}

/** 64-bit integers and sums of them as numbers: times and counts stay far below 2^53. */
function plainNumbers(types: { getTypeParser: (oid: number, format?: never) => unknown }): CustomTypesConfig {
  const int8 = 20;
  const numeric = 1700;
  return {
    getTypeParser: (oid, format) =>
      oid === int8 || oid === numeric ? Number : (types.getTypeParser(oid, format as never) as never),
  };
}

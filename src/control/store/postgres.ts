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
 * when it cannot be reached or is newer than this program.
 */
export async function openPostgresStore(url: string, logger: Logger): Promise<Db> {
  const db = await connectPostgres(url, logger);
  try {
    await db.connection().execute(async (connection) => {
      await connection.executeQuery(CompiledQuery.raw(`select pg_advisory_lock(${migrationLock})`));
      try {
        await migrate(connection);
      } finally {
        await connection.executeQuery(CompiledQuery.raw(`select pg_advisory_unlock(${migrationLock})`));
      }
    });
    return db;
  } catch (cause) {
    await db.destroy();
    if (cause instanceof StreamsError) throw cause;
    throw new StreamsError('CONFIG_INVALID', `cannot open the Postgres store: ${(cause as Error).message}`, {
      hint: 'Check STREAMS_DATABASE_URL, and that the server runs and lets this user create tables.',
      cause,
    });
  }
}

/** Opens the database with whatever schema it has; connects with the first query. */
export async function connectPostgres(url: string, logger: Logger): Promise<Db> {
  const { default: pg } = await import('pg');
  const pool = new pg.Pool({
    connectionString: url,
    max: poolSize,
    connectionTimeoutMillis: connectTimeoutMs,
    application_name: 'streams',
    types: plainNumbers(pg.types),
  });
  pool.on('error', (error) => logger.warn('lost a connection to Postgres', { reason: error.message }));
  return new Kysely<Tables>({ dialect: cleaningText(new OneWriterDialect({ pool })) });
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

import { closeSync, openSync } from 'node:fs';
import { CompiledQuery, type DatabaseConnection, Kysely, SqliteDialect, SqliteDriver } from 'kysely';
import Database from 'libsql';
import { StreamsError } from '../../core/errors.ts';
import { cleaningText } from './clean-text.ts';
import { migrate } from './migrate.ts';
import type { Db, Tables } from './schema.ts';

type Sqlite = ConstructorParameters<typeof SqliteDialect>[0];

/** Takes the write lock at BEGIN: a transaction that reads first can then never fail half way because another process wrote. */
class ImmediateDriver extends SqliteDriver {
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }
}

class ImmediateSqliteDialect extends SqliteDialect {
  readonly #config: Sqlite;
  constructor(config: Sqlite) {
    super(config);
    this.#config = config;
  }
  override createDriver(): SqliteDriver {
    return new ImmediateDriver(this.#config);
  }
}

/**
 * Opens (and creates) a SQLite store and brings it to the newest schema. WAL with synchronous=FULL: each commit is on the disk
 * before it is acknowledged, also over a power cut; NORMAL would only survive a killed process. Writes are rare here, so the
 * fsync costs nothing that matters. Throws CONFIG_INVALID when the file cannot be opened or is newer than this program.
 */
export async function openSqliteStore(file: string): Promise<Db> {
  const db = connectSqlite(file);
  try {
    await migrate(db);
  } catch (error) {
    await db.destroy();
    throw error;
  }
  return db;
}

/**
 * Writes what the WAL holds into the file itself. `whole`: all of it, and empties the WAL, so that the file alone is the store; else as much as
 * goes without waiting for anybody.
 */
export async function checkpoint(db: Db, { whole = false } = {}): Promise<void> {
  await db.executeQuery(CompiledQuery.raw(`pragma wal_checkpoint(${whole ? 'truncate' : 'passive'})`));
}

/** Opens the file with whatever schema it has. Throws CONFIG_INVALID. */
export function connectSqlite(file: string): Db {
  const database = open(file);
  return new Kysely<Tables>({ dialect: cleaningText(new ImmediateSqliteDialect({ database: database as never })) });
}

function open(file: string): Database.Database {
  try {
    closeSync(openSync(file, 'a', 0o600)); // SQLite gives its -wal and -shm files the mode of this one
    const database = new Database(file);
    database.pragma('busy_timeout = 5000');
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    database.pragma('foreign_keys = ON');
    return database;
  } catch (cause) {
    throw new StreamsError('CONFIG_INVALID', `cannot open the store ${file}: ${(cause as Error).message}`, {
      hint: 'Check that the data directory is writable and the file is a streams database.',
      cause,
    });
  }
}

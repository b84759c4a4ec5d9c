import type { PostgresPool, PostgresPoolClient } from 'kysely';
import type pg from 'pg';
import { StreamsError } from '../../core/errors.ts';
import { LimitedWarnings } from '../../core/limited-warnings.ts';
import type { Logger } from '../../core/log.ts';

/**
 * Wraps a pool so that whatever a lost server does to it ends as STORE_UNAVAILABLE of the call that needed it. A client that is
 * checked out tells of its lost connection by an `error` event of its own, which the pool does not listen to; without a listener
 * that event ends the process.
 */
export function outlivingPool(pool: pg.Pool, DatabaseError: typeof pg.DatabaseError, logger: Logger): PostgresPool {
  const warnings = new LimitedWarnings(logger, () => performance.now(), 1);
  pool.on('error', () => {}); // of clients that nobody uses: their own event, below, has said it
  pool.on('connect', (client) => {
    client.on('error', (error) => warnings.warn('lost a connection to Postgres', { reason: error.message }));
  });
  const translate = (cause: unknown): unknown => (isPassing(cause, DatabaseError) ? unavailable(cause) : cause);
  return {
    async connect(): Promise<PostgresPoolClient> {
      const client = await pool.connect().catch((cause: unknown) => {
        throw translate(cause);
      });
      let broken = false;
      const query = (sql: string, parameters: readonly unknown[]) =>
        client.query(sql, [...parameters]).catch((cause: unknown) => {
          // An answer that never came may still come: what asks next must not get it.
          broken ||= !(cause instanceof DatabaseError);
          throw translate(cause);
        });
      return { query: query as unknown as PostgresPoolClient['query'], release: () => client.release(broken) };
    },
    end: () => pool.end(),
  };
}

/** SQLSTATE classes and codes (PostgreSQL, appendix A) that say nothing of the statement, only that it cannot be done right now. */
const passing = /^(08...|57P0[1-3]|53300|40001|40P01|25006)$/;

/** Not an answer of the server at all (no connection, or one that was cut or is silent), or one that says to try again. */
function isPassing(cause: unknown, DatabaseError: typeof pg.DatabaseError): boolean {
  if (cause instanceof DatabaseError) return passing.test(cause.code ?? '');
  return cause instanceof Error && !(cause instanceof TypeError);
}

function unavailable(cause: unknown): StreamsError {
  return new StreamsError('STORE_UNAVAILABLE', 'the database does not answer', {
    hint: 'Try again in a moment. Operators: check that Postgres runs and can be reached.',
    cause,
  });
}

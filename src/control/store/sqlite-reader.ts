import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { type Deferred, deferred } from '../../core/deferred.ts';
import { StreamsError } from '../../core/errors.ts';
import { cleaningText } from './clean-text.ts';
import { type ReaderAnswer, type ReaderQuery, type ReaderStart, serveQueries } from './reader-thread.ts';
import type { Db, Tables } from './schema.ts';

/** One long query does not make the next one wait; more would only share the same disk and cores. */
const maxThreads = 2;
const { resolve: pathOf } = createRequire(import.meta.url);

/**
 * The store for queries that may take long: they run on threads of their own, so whoever is served meanwhile waits for none of them.
 * Sees what was committed before a query began, and writes nothing: a statement that would is refused, and so is a transaction.
 * Threads start with the first query; `destroy` waits for those under way.
 */
export function openSqliteReader(file: string): Db {
  return new Kysely<Tables>({
    dialect: cleaningText({
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new ReaderDriver({ libsql: pathOf('libsql'), file }),
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    }),
  });
}

/** Hands out threads; who finds none free waits in line. */
class ReaderDriver implements Driver {
  readonly #start: ReaderStart;
  readonly #free: ReaderThread[] = [];
  readonly #waiting: Deferred<ReaderThread>[] = [];
  readonly #threads = new Set<ReaderThread>();
  #closed = false;

  constructor(start: ReaderStart) {
    this.#start = start;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    if (this.#closed) throw closed();
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#threads.size < maxThreads) return this.#add();
    const turn = deferred<ReaderThread>();
    this.#waiting.push(turn);
    return turn.promise;
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    let thread = connection as ReaderThread;
    if (thread.ended) {
      this.#threads.delete(thread);
      if (this.#closed || this.#waiting.length === 0) return;
      thread = this.#add();
    }
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(thread);
    else next.resolve(thread);
  }

  async beginTransaction(): Promise<void> {
    throw new StreamsError('INTERNAL', 'the reading store has no transactions');
  }
  async commitTransaction(): Promise<void> {}
  async rollbackTransaction(): Promise<void> {}

  async destroy(): Promise<void> {
    this.#closed = true;
    for (const turn of this.#waiting.splice(0)) turn.reject(closed());
    await Promise.all([...this.#threads].map((thread) => thread.end()));
  }

  #add(): ReaderThread {
    const thread = new ReaderThread(this.#start);
    this.#threads.add(thread);
    return thread;
  }
}

/** A thread and its connection; one query at a time. */
class ReaderThread implements DatabaseConnection {
  readonly #worker: Worker;
  #asked: Deferred<ReaderAnswer> | undefined;
  ended = false;

  constructor(start: ReaderStart) {
    this.#worker = new Worker(`(${serveQueries})(require)`, { eval: true, workerData: start, env: {}, execArgv: [] });
    this.#worker.unref();
    this.#worker.on('message', (answer: ReaderAnswer) => this.#asked?.resolve(answer));
    this.#worker.on('error', (cause) => this.#fail(new StreamsError('INTERNAL', 'a query failed', { cause })));
    this.#worker.on('exit', () => this.#fail(closed()));
  }

  async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
    if (this.ended) throw closed();
    this.#asked = deferred();
    this.#worker.ref();
    this.#worker.postMessage({ sql, parameters } satisfies ReaderQuery);
    try {
      const answer = await this.#asked.promise;
      if ('error' in answer) throw Object.assign(new Error(answer.error.message), { code: answer.error.code });
      return { rows: answer.rows as Row[] };
    } finally {
      this.#asked = undefined;
      this.#worker.unref();
    }
  }

  // biome-ignore lint/correctness/useYield: there is nothing to give
  async *streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    throw new StreamsError('INTERNAL', 'the reading store answers whole results');
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #fail(error: Error): void {
    this.ended = true;
    this.#asked?.reject(error);
  }
}

function closed(): StreamsError {
  return new StreamsError('INTERNAL', 'the store is closed');
}

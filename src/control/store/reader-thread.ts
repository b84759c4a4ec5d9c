import type DatabaseType from 'libsql';

/** Where the thread finds its driver and its file. */
export type ReaderStart = { libsql: string; file: string };
export type ReaderQuery = { sql: string; parameters: readonly unknown[] };
export type ReaderAnswer = { rows: unknown[] } | { error: { message: string; code?: string | undefined } };

/**
 * What a reading thread runs: answers one query after the other over a connection of its own, which can write nothing. Its text is
 * handed to the thread, so that there is no file to be found beside this one: it uses nothing but `load` (Node's `require`).
 */
export function serveQueries(load: NodeJS.Require): void {
  const { parentPort, workerData } = load('node:worker_threads') as typeof import('node:worker_threads');
  const { libsql, file } = workerData as ReaderStart;
  const Database = load(libsql) as typeof DatabaseType;
  const database = new Database(file);
  database.pragma('busy_timeout = 5000');
  database.pragma('query_only = ON');
  parentPort!.on('message', ({ sql, parameters }: ReaderQuery) => {
    let answer: ReaderAnswer;
    try {
      answer = { rows: database.prepare(sql).all(parameters as never) };
    } catch (error) {
      const { message, code } = error as { message: string; code?: string };
      answer = { error: { message, code } };
    }
    parentPort!.postMessage(answer);
  });
}

import { PostgresAdapter, type RawBuilder, sql } from 'kysely';
import type { Db } from './schema.ts';

export function isPostgres(db: Db): boolean {
  return db.getExecutor().adapter instanceof PostgresAdapter;
}

/** Ids as one parameter, however many: `where('id', 'in', idList(db, ids))`. The statement stays the same, so it is planned with its index. */
export function idList(db: Db, ids: readonly string[]): RawBuilder<string> {
  const json = JSON.stringify(ids);
  return isPostgres(db)
    ? sql<string>`(select json_array_elements_text(cast(${json} as json)))`
    : sql<string>`(select value from json_each(${json}))`;
}

/** A table with the columns `key` and `value`, as one parameter. */
export function textByKey(db: Db, values: Readonly<Record<string, string | null>>): RawBuilder<unknown> {
  const json = JSON.stringify(values);
  return isPostgres(db) ? sql`json_each_text(cast(${json} as json))` : sql`json_each(${json})`;
}

import { type SelectQueryBuilder, sql } from 'kysely';
import { StreamsError } from '../../core/errors.ts';

/** Where the next page starts: just after this row, newest first. */
type Cursor = { at: number; id: string };

function encodeCursor(cursor: Cursor): string {
  return Buffer.from(`${cursor.at}.${cursor.id}`).toString('base64url');
}

/** Throws INVALID_ARGUMENT on anything `encodeCursor` did not make. */
function decodeCursor(text: string): Cursor {
  const match = /^(\d{1,16})\.([0-9A-Za-z_.:-]{1,64})$/.exec(Buffer.from(text, 'base64url').toString());
  if (!match) throw new StreamsError('INVALID_ARGUMENT', 'the cursor is not one this server gave out');
  return { at: Number(match[1]), id: match[2]! };
}

/** Columns by which a list is ordered; `id` tells rows of the same instant apart. A name may carry its table's alias. */
type Order = { at: string; id: string };

/** One page of a list, newest first (keyset pagination: rows that come in between shift nothing). `nextCursor` is null on the last one. */
export async function newestFirst<DB, TB extends keyof DB, Row, Item>(
  query: SelectQueryBuilder<DB, TB, Row>,
  order: Order,
  { cursor, limit }: { cursor?: string | undefined; limit: number },
  view: (row: Row) => Item,
): Promise<{ items: Item[]; nextCursor: string | null }> {
  const [at, id] = [sql.ref(order.at), sql.ref(order.id)];
  const after = cursor === undefined ? undefined : decodeCursor(cursor);
  const rows = await query
    .$if(after !== undefined, (page) => page.where(sql<boolean>`(${at}, ${id}) < (${after!.at}, ${after!.id})`))
    .orderBy(at, 'desc')
    .orderBy(id, 'desc')
    .limit(limit + 1)
    .execute();
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(view),
    nextCursor: rows.length > limit && last !== undefined ? encodeCursor(cursorOf(last, order)) : null,
  };
}

function cursorOf(row: unknown, { at, id }: Order): Cursor {
  const field = (name: string) => (row as Record<string, unknown>)[name.slice(name.indexOf('.') + 1)];
  return { at: Number(field(at)), id: String(field(id)) };
}

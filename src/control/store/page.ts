import { type SelectQueryBuilder, sql } from 'kysely';
import { StreamsError } from '../../core/errors.ts';

/** Where the next page starts, newest first: just after this row, or after so many rows. */
type RowCursor = { at: number; id: string };
type Cursor = RowCursor | { rows: number };

function encodeCursor({ at, id }: RowCursor): string {
  return Buffer.from(`${at}.${id}`).toString('base64url');
}

/** The cursor of the page that leaves out the newest `rows`, for clients that count pages: what comes in between shifts it. */
export function cursorAfter(rows: number): string {
  return Buffer.from(`+${rows}`).toString('base64url');
}

/** Throws INVALID_ARGUMENT on anything that neither `encodeCursor` nor `cursorAfter` made. */
function decodeCursor(encoded: string): Cursor {
  const text = Buffer.from(encoded, 'base64url').toString();
  const skipped = /^\+(\d{1,9})$/.exec(text);
  if (skipped) return { rows: Number(skipped[1]) };
  const match = /^(\d{1,16})\.([0-9A-Za-z_.:-]{1,64})$/.exec(text);
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
    .$if(after !== undefined && 'rows' in after, (page) => page.offset((after as { rows: number }).rows))
    .$if(after !== undefined && 'at' in after, (page) => {
      const row = after as RowCursor;
      return page.where(sql<boolean>`(${at}, ${id}) < (${row.at}, ${row.id})`);
    })
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

function cursorOf(row: unknown, { at, id }: Order): RowCursor {
  const field = (name: string) => (row as Record<string, unknown>)[name.slice(name.indexOf('.') + 1)];
  return { at: Number(field(at)), id: String(field(id)) };
}

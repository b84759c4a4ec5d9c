import { StreamsError } from '../../core/errors.ts';

/** Where the next page starts: just after this row, newest first. */
export type Cursor = { at: number; id: string };

export function encodeCursor(cursor: Cursor): string {
  return Buffer.from(`${cursor.at}.${cursor.id}`).toString('base64url');
}

/** Throws INVALID_ARGUMENT on anything `encodeCursor` did not make. */
export function decodeCursor(text: string): Cursor {
  const match = /^(\d{1,16})\.([0-9A-Za-z_.:-]{1,64})$/.exec(Buffer.from(text, 'base64url').toString());
  if (!match) throw new StreamsError('INVALID_ARGUMENT', 'the cursor is not one this server gave out');
  return { at: Number(match[1]), id: match[2]! };
}

/** Cuts rows fetched with `limit + 1` to a page; `nextCursor` is null on the last one. */
export function toPage<Row, Item>(
  rows: readonly Row[],
  limit: number,
  cursorOf: (row: Row) => Cursor,
  view: (row: Row) => Item,
): { items: Item[]; nextCursor: string | null } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(view),
    nextCursor: rows.length > limit && last !== undefined ? encodeCursor(cursorOf(last)) : null,
  };
}

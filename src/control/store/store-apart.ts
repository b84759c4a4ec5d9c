/**
 * Stores rows, `store` some at a time; where the store cannot take what is in them, in halves, until each that it takes is stored. Returns
 * how many were stored, and the rows that cannot be. Rejects with what is no fault of a row: then some may be stored.
 */
export async function storeApart<Row>(
  rows: readonly Row[],
  store: (rows: readonly Row[]) => Promise<number>,
): Promise<{ stored: number; refused: { row: Row; reason: string }[] }> {
  if (rows.length === 0) return { stored: 0, refused: [] };
  try {
    return { stored: await store(rows), refused: [] };
  } catch (error) {
    if (!isFaultOfValues(error)) throw error;
    const [row] = rows;
    if (rows.length === 1 && row !== undefined)
      return { stored: 0, refused: [{ row, reason: (error as Error).message }] };
    const half = Math.ceil(rows.length / 2);
    const first = await storeApart(rows.slice(0, half), store);
    const second = await storeApart(rows.slice(half), store);
    return { stored: first.stored + second.stored, refused: [...first.refused, ...second.refused] };
  }
}

/**
 * Whether a statement failed for its values: in Postgres (SQLSTATE) class 22 is data, 23 a constraint, 54 a limit of the program. A store
 * that is away, full or busy is none of this.
 */
function isFaultOfValues(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return (
    typeof code === 'string' &&
    /^(?:(?:22|23|54)[0-9A-Z]{3}|SQLITE_(?:CONSTRAINT|TOOBIG|MISMATCH|RANGE)\w*)$/.test(code)
  );
}

export type Styles = Record<'bold' | 'dim' | 'red' | 'green' | 'yellow', (text: string) => string>;

/** ANSI SGR, or nothing at all where colour is not wanted. */
export function styles(color: boolean): Styles {
  const wrap = (open: number, close: number) => (text: string) => (color ? `\x1b[${open}m${text}\x1b[${close}m` : text);
  return { bold: wrap(1, 22), dim: wrap(2, 22), red: wrap(31, 39), green: wrap(32, 39), yellow: wrap(33, 39) };
}

import type { Styles } from './styles.ts';

const gap = 2;
const narrowest = 6;
/** The table library takes time that grows with the square of the rows; more than a screen of them are set in columns here. */
const mostFramed = 200;

/**
 * A table without frames. Where it would be wider than `width` the widest columns are cut with an ellipsis until it fits;
 * an infinite width (pipes, files) cuts nothing.
 */
export async function renderTable(
  table: { columns: readonly string[]; rows: readonly (readonly string[])[] },
  width: number,
  style: Styles,
): Promise<string> {
  const widths = fitColumns(
    table.columns.map((title, index) =>
      table.rows.reduce((widest, row) => Math.max(widest, (row[index] ?? '').length), title.length),
    ),
    width,
  );
  if (table.rows.length > mostFramed) return plainColumns(table, widths, style);
  const { default: Table } = await import('cli-table3');
  const out = new Table({
    head: table.columns.map((title) => style.bold(title.toUpperCase())),
    colWidths: widths.map((columnWidth) => columnWidth + gap),
    chars: Object.fromEntries(frame.map((part) => [part, ''])),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': gap },
  });
  for (const row of table.rows) out.push([...row]);
  return out
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

function plainColumns(
  { columns, rows }: { columns: readonly string[]; rows: readonly (readonly string[])[] },
  widths: readonly number[],
  style: Styles,
): string {
  const cell = (text: string, width: number) =>
    text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width);
  const line = (cells: readonly string[], dress = (text: string) => text) =>
    widths
      .map((width, index) => dress(cell((cells[index] ?? '').replaceAll('\n', ' '), width)))
      .join(' '.repeat(gap))
      .trimEnd();
  const head = line(
    columns.map((title) => title.toUpperCase()),
    style.bold,
  );
  return [head, ...rows.map((row) => line(row))].join('\n');
}

const frame = [
  'top',
  'top-mid',
  'top-left',
  'top-right',
  'bottom',
  'bottom-mid',
  'bottom-left',
  'bottom-right',
  'left',
  'left-mid',
  'mid',
  'mid-mid',
  'right',
  'right-mid',
  'middle',
] as const;

/** Takes columns off the widest until the sum with gaps fits `width`. */
export function fitColumns(natural: readonly number[], width: number): number[] {
  const widths = [...natural];
  const total = () => widths.reduce((sum, columnWidth) => sum + columnWidth + gap, -gap);
  while (total() > width) {
    const widest = widths.indexOf(Math.max(...widths));
    if (widths[widest]! <= narrowest) break;
    widths[widest] = widths[widest]! - 1;
  }
  return widths;
}

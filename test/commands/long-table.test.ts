import { expect, it } from 'vitest';
import { styles } from '../../commands/output/styles.ts';
import { renderTable } from '../../commands/output/table.ts';

const plain = styles(false);
const rows = (count: number) =>
  Array.from({ length: count }, (_, i) => [`lv_${i}`, i % 7 === 0 ? 'Länge'.repeat(9) : 'a', 'idle']);
const columns = ['id', 'name', 'status'];

it.each([Number.POSITIVE_INFINITY, 40])(
  'a table of more rows than a screen looks like a short one, %s wide',
  async (width) => {
    const short = (await renderTable({ columns, rows: rows(200) }, width, plain)).split('\n');
    const long = (await renderTable({ columns, rows: [...rows(200), ['lv_1', '', 'live']] }, width, plain)).split('\n');
    expect(long).toHaveLength(202);
    expect(long.slice(0, 201)).toEqual(short);
  },
);

it('draws 150,000 rows', async () => {
  const lines = (await renderTable({ columns, rows: rows(150_000) }, 80, plain)).split('\n');
  expect(lines).toHaveLength(150_001);
});

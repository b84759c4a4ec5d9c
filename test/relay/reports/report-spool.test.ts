import { appendFile, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ReportSpool } from '../../../src/relay/reports/report-spool.ts';

type Row = { id: string; n?: number; updatedAt?: number };

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'streams-spool-'));
});
afterEach(() => rm(dir, { recursive: true }));

const spool = (limits: { maxBytes?: number; fileBytes?: number } = {}) => new ReportSpool<Row>({ dir, ...limits });

async function drain(from: ReportSpool<Row>): Promise<Row[]> {
  const all: Row[] = [];
  for (let file = await from.oldest(); file !== undefined; file = await from.oldest()) {
    all.push(...file.rows);
    await file.taken();
  }
  return all;
}

it('keeps rows in their order until they are taken, over restarts', async () => {
  const first = spool({ fileBytes: 20 });
  expect(await first.recover()).toEqual([]);
  for (const n of [1, 2, 3]) await first.ended([{ id: `a${n}`, n }]);
  const second = spool();
  expect(await second.recover()).toEqual([]);
  await second.ended([{ id: 'a4', n: 4 }]);
  expect((await drain(second)).map(({ n }) => n)).toEqual([1, 2, 3, 4]);
  expect(await readdir(dir)).toEqual(['open.ndjson']);
  expect(await drain(spool())).toEqual([]);
});

it('a file that is being sent does not grow', async () => {
  const rows = spool();
  await rows.recover();
  await rows.ended([{ id: 'a' }]);
  const file = (await rows.oldest())!;
  await rows.ended([{ id: 'b' }]);
  expect(file.rows).toEqual([{ id: 'a' }]);
  await file.taken();
  expect(await drain(rows)).toEqual([{ id: 'b' }]);
});

it('answers what was open: the last that was said of it, unless it has ended', async () => {
  const first = spool();
  await first.recover();
  await first.opened([{ id: 'a' }, { id: 'b' }, { id: 'c' }]);
  await first.ended([{ id: 'b', n: 9 }]);
  await drain(first);
  expect(await spool().recover()).toEqual([{ id: 'a' }, { id: 'c' }]);
  await first.replaceOpen(() => [[{ id: 'a', n: 1 }], [{ id: 'd' }]]);
  await first.opened([{ id: 'e' }]);
  expect(await spool().recover()).toEqual([{ id: 'a', n: 1 }, { id: 'd' }, { id: 'e' }]);
});

it('an opening row that is written after figures of the same session does not replace them', async () => {
  const first = spool();
  await first.recover();
  await first.replaceOpen(() => [[{ id: 'a', n: 7, updatedAt: 2000 }]]);
  await first.opened([{ id: 'a', n: 0, updatedAt: 1000 }]);
  expect(await spool().recover()).toEqual([{ id: 'a', n: 7, updatedAt: 2000 }]);
});

it('an ended row counts even if the process died before it said so of the open one', async () => {
  const first = spool();
  await first.recover();
  await first.ended([{ id: 'a', n: 1 }]);
  await first.replaceOpen(() => [[{ id: 'a' }, { id: 'b' }]]);
  expect(await spool().recover()).toEqual([{ id: 'b' }]);
});

it('passes torn and foreign lines over', async () => {
  await appendFile(join(dir, 'ended-7.ndjson'), '{"id":"a"}\nnull\n[]\n{"id":5}\n{"id":"b"}\n{"id":"c","n":');
  await appendFile(join(dir, 'ended-x.ndjson'), '{"id":"no"}\n');
  const rows = spool();
  await rows.recover();
  await rows.ended([{ id: 'd' }]);
  expect((await drain(rows)).map(({ id }) => id)).toEqual(['a', 'b', 'd']);
});

it('is bounded: the oldest go first', async () => {
  const rows = spool({ fileBytes: 100, maxBytes: 500 });
  await rows.recover();
  for (let n = 0; n < 200; n++) await rows.ended([{ id: `row-${n}`, n }]);
  expect(rows.takeDropped()).toBeGreaterThan(3000);
  expect(rows.takeDropped()).toBe(0);
  const left = (await drain(rows)).map(({ n }) => n);
  expect(left.length).toBeLessThan(30);
  expect(left).toEqual(Array.from(left, (_, i) => 200 - left.length + i));
});

import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { operations } from '../../src/control/operations/registry.ts';
import { forgetExpired } from '../../src/control/store/forget.ts';
import { openSqliteStore } from '../../src/control/store/sqlite.ts';
import { openSqliteReader } from '../../src/control/store/sqlite-reader.ts';
import { startTestControl, temporaryDir } from './helpers.ts';

/** Counts to a number, which takes a while and needs no rows. */
const counting = (to: number) =>
  sql<{
    n: number;
  }>`with recursive c(n) as (select 1 union all select n + 1 from c where n < ${to}) select max(n) as n from c`;

async function opened(file: string) {
  const [db, reader] = [await openSqliteStore(file), openSqliteReader(file)];
  return {
    db,
    reader,
    async [Symbol.asyncDispose]() {
      await reader.destroy();
      await db.destroy();
    },
  };
}

it('serves while a long query runs, another beside it, and what was written before is seen', async () => {
  await using dir = await temporaryDir();
  await using store = await opened(`${dir.path}/control.db`);
  const { db, reader } = store;
  const ended: string[] = [];
  const long = counting(3_000_000)
    .execute(reader)
    .then(({ rows }) => {
      ended.push('long');
      return rows;
    });
  await db.insertInto('orgs').values({ id: 'org_a', name: 'Ä', created_at: 1_795_211_861_209 }).execute();
  expect(await reader.selectFrom('orgs').selectAll().execute()).toEqual([
    { id: 'org_a', name: 'Ä', created_at: 1_795_211_861_209 },
  ]);
  ended.push('short');
  expect(await long).toEqual([{ n: 3_000_000 }]);
  expect(ended).toEqual(['short', 'long']);
});

it('answers all that wait in line, says what is wrong with a query, and writes nothing', async () => {
  await using dir = await temporaryDir();
  await using store = await opened(`${dir.path}/control.db`);
  const { reader } = store;
  const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => counting(i + 1).execute(reader)));
  expect(answers.map(({ rows }) => rows[0]?.n)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  await expect(sql`select id from nowhere`.execute(reader)).rejects.toThrow('no such table: nowhere');
  const row = { id: 'org_b', name: 'b', created_at: 1 };
  await expect(reader.insertInto('orgs').values(row).execute()).rejects.toThrow(/readonly/);
  await expect(reader.transaction().execute(async () => {})).rejects.toMatchObject({ code: 'INTERNAL' });
  expect(await reader.selectFrom('orgs').selectAll().execute()).toEqual([]);
});

it('refuses what comes after its end', async () => {
  await using dir = await temporaryDir();
  await using store = await opened(`${dir.path}/control.db`);
  const { reader } = store;
  await counting(1).execute(reader);
  await reader.destroy();
  await expect(counting(1).execute(reader)).rejects.toThrow();
});

it('every list and every figure is asked of the reading store', async () => {
  const small = new Set([
    'apiKeys.list',
    'orgs.list',
    'signingKeys.list',
    'webhooks.list',
    'auth.whoami',
    'server.status',
  ]);
  const served = operations.filter(({ kind, long }) => kind === 'query' && long === undefined).map(({ name }) => name);
  const gets = ['liveInputs.get', 'liveInputs.status', 'assets.get', 'orgs.get'];
  expect(served.filter((name) => !small.has(name) && !gets.includes(name))).toEqual([]);
  await using test = await startTestControl();
  const { id } = (await test.call('POST', '/v1/live-inputs', { body: { name: 'a', ingest: 'fmp4' } })).body;
  const { items } = (await test.call('GET', '/v1/live-inputs')).body;
  expect(items.map((input: { id: string }) => input.id)).toEqual([id]);
});

it('cleans more than one statement throws away, and stops when it is told to', async () => {
  await using dir = await temporaryDir();
  await using store = await opened(`${dir.path}/control.db`);
  const { db } = store;
  const [day, now] = [86_400_000, 1_795_211_861_209];
  const rows = (from: number, count: number, at: number) =>
    Array.from({ length: count }, (_, i) => ({
      org_id: 'org_a',
      id: `e${from + i}`,
      type: 't',
      at,
      input_id: null,
      viewer: null,
      data: '{}',
    }));
  for (let from = 0; from < 1200; from += 400)
    await db
      .insertInto('player_events')
      .values(rows(from, 400, now - 91 * day))
      .execute();
  await db
    .insertInto('player_events')
    .values(rows(1200, 3, now - 89 * day))
    .execute();
  const left = async () => (await db.selectFrom('player_events').select('id').execute()).length;
  const stopped = new AbortController();
  stopped.abort();
  await forgetExpired(db, now, stopped.signal);
  expect(await left()).toBe(1203);
  await forgetExpired(db, now);
  expect(await left()).toBe(3);
});

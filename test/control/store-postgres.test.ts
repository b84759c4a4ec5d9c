import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectPostgres, openPostgresStore } from '../../src/control/store/postgres.ts';
import { silentLogger } from '../../src/core/log.ts';
import { type PostgresServer, startPostgres } from './postgres-server.ts';
import { describeStore } from './store-suite.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server?.[Symbol.asyncDispose]());

describeStore('postgres', async () => {
  const url = await server.newDatabase();
  return {
    open: () => openPostgresStore(url, silentLogger),
    connect: () => connectPostgres(url, silentLogger),
    [Symbol.asyncDispose]: async () => {},
  };
});

describe('postgres', () => {
  it('is brought to the newest schema once by processes that start together', async () => {
    const url = await server.newDatabase();
    const stores = await Promise.all(Array.from({ length: 4 }, () => openPostgresStore(url, silentLogger)));
    for (const db of stores) expect(await db.selectFrom('live_inputs').selectAll().execute()).toEqual([]);
    await Promise.all(stores.map((db) => db.destroy()));
  });

  it('serialises transactions that read before they write', async () => {
    const url = await server.newDatabase();
    const stores = await Promise.all([openPostgresStore(url, silentLogger), openPostgresStore(url, silentLogger)]);
    await stores[0]!.insertInto('meta').values({ key: 'n', value: '0' }).execute();
    const bump = (i: number) =>
      stores[i % 2]!.transaction().execute(async (db) => {
        const { value } = await db.selectFrom('meta').select('value').where('key', '=', 'n').executeTakeFirstOrThrow();
        await db
          .updateTable('meta')
          .set({ value: String(Number(value) + 1) })
          .where('key', '=', 'n')
          .execute();
      });
    await Promise.all(Array.from({ length: 40 }, (_, i) => bump(i)));
    const { value } = await stores[0]!
      .selectFrom('meta')
      .select('value')
      .where('key', '=', 'n')
      .executeTakeFirstOrThrow();
    expect(value).toBe('40');
    await Promise.all(stores.map((db) => db.destroy()));
  });

  it('that is not there is named, without the password', async () => {
    const opening = openPostgresStore('postgresql://me:hunter2@127.0.0.1:1/x', silentLogger);
    await expect(opening).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await expect(opening).rejects.not.toThrow(/hunter2/);
  });
});

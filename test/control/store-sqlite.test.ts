import { CompiledQuery } from 'kysely';
import { expect, it } from 'vitest';
import { connectSqlite, openSqliteStore } from '../../src/control/store/sqlite.ts';
import { temporaryDir } from './helpers.ts';
import { describeStore } from './store-suite.ts';

describeStore('sqlite', async () => {
  const dir = await temporaryDir();
  return {
    open: () => openSqliteStore(`${dir.path}/store.db`),
    connect: async () => connectSqlite(`${dir.path}/store.db`),
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
});

it('sqlite runs with WAL, full sync and foreign keys', async () => {
  await using dir = await temporaryDir();
  const db = await openSqliteStore(`${dir.path}/store.db`);
  const read = async (pragma: string) =>
    Object.values((await db.executeQuery(CompiledQuery.raw(`pragma ${pragma}`))).rows[0] as object)[0];
  expect(await read('journal_mode')).toBe('wal');
  expect(await read('synchronous')).toBe(2);
  expect(await read('foreign_keys')).toBe(1);
  expect(await read('busy_timeout')).toBe(5000);
  await db.destroy();
});

it('sqlite says what is wrong with a file that is no database', async () => {
  await using dir = await temporaryDir();
  await expect(openSqliteStore(`${dir.path}/no/such/dir/store.db`)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
});

import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { connectSqlite } from '../../src/control/store/sqlite.ts';
import { startTestControl, temporaryDir } from './helpers.ts';

it('after a clean stop control.db alone is the whole store', async () => {
  await using elsewhere = await temporaryDir();
  await using on = await startTestControl();
  const { body } = await on.call('POST', '/v1/live-inputs', { body: { name: 'show' } });
  await on.control.close();
  const copy = join(elsewhere.path, 'copy');
  await mkdir(copy);
  await copyFile(join(on.dataDir, 'control.db'), join(copy, 'control.db'));
  const db = connectSqlite(join(copy, 'control.db'));
  expect(await db.selectFrom('live_inputs').select('id').execute()).toEqual([{ id: body.id }]);
  await db.destroy();
});

import { expect, it } from 'vitest';
import { openSqliteStore } from '../../src/control/store/sqlite.ts';
import { startTestControl, type TestControl } from './helpers.ts';

const create = (test: TestControl, key: string, body: object = { name: 'a' }) =>
  test.call('POST', '/v1/live-inputs', { body, headers: { 'idempotency-key': key } });
const count = async (test: TestControl) => (await test.call('GET', '/v1/live-inputs')).body.items.length;

it('does the same request once and answers it alike, also when they come together', async () => {
  await using test = await startTestControl();
  const answers = await Promise.all(Array.from({ length: 5 }, () => create(test, 'k')));
  answers.push(await create(test, 'k', { name: 'a', ingest: 'rtmp' })); // a default that is spelt out
  for (const answer of answers) {
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual(answers[0]!.body);
  }
  expect(new Set(answers.map(({ headers }) => headers.get('x-request-id'))).size).toBe(6);
  expect(await count(test)).toBe(1);
  expect((await test.call('GET', '/v1/audit-log?action=liveInputs.create')).body.items).toHaveLength(1);
  expect((await create(test, 'other')).body.id).not.toBe(answers[0]!.body.id);
});

it('refuses the key for another request, of whatever kind', async () => {
  await using test = await startTestControl();
  const { body } = await create(test, 'k');
  const others = [
    await create(test, 'k', { name: 'b' }),
    await test.call('POST', '/v1/api-keys', { body: { name: 'a' }, headers: { 'idempotency-key': 'k' } }),
    await test.call('POST', `/v1/live-inputs/${body.id}/rotate-stream-key`, { headers: { 'idempotency-key': 'k' } }),
  ];
  for (const other of others) expect([other.status, other.body.error.code]).toEqual([409, 'CONFLICT']);
});

it('forgets after 24 h, and what failed at once', async () => {
  await using test = await startTestControl();
  await create(test, 'taken', { name: 'a', external_input_id: 'x' });
  expect((await create(test, 'k', { name: 'b', external_input_id: 'x' })).status).toBe(409);
  expect((await create(test, 'k', { name: 'b', external_input_id: 'y' })).status).toBe(201);
  test.clock.now += 24 * 3_600_000;
  expect((await create(test, 'k', { name: 'c' })).status).toBe(201);
});

it.each([['a'.repeat(256)], ['a b'], ['']])('refuses %j as a key', async (key) => {
  await using test = await startTestControl();
  expect((await create(test, key)).body.error.code).toBe('INVALID_ARGUMENT');
});

it('keeps no cleartext of what it may answer again', async () => {
  await using test = await startTestControl();
  const { body } = await create(test, 'k');
  const db = await openSqliteStore(`${test.dataDir}/control.db`);
  const rows = await db.selectFrom('idempotency_keys').selectAll().execute();
  await db.destroy();
  expect(rows).toHaveLength(1);
  expect(JSON.stringify(rows)).not.toContain(body.stream_key_cleartext);
});

it('lets the audit log be read by who, what, on what and when', async () => {
  await using test = await startTestControl();
  const { body: input } = await create(test, 'k');
  test.clock.now += 1000;
  const from = new Date(test.clock.now).toISOString();
  await test.call('DELETE', `/v1/live-inputs/${input.id}`);
  const actions = async (query: string): Promise<string[]> =>
    (await test.call('GET', `/v1/audit-log?${query}`)).body.items.map(({ action }: { action: string }) => action);
  expect(await actions(`target=${input.id}`)).toEqual(['liveInputs.delete', 'liveInputs.create']);
  expect(await actions(`target=${input.id}&from=${from}`)).toEqual(['liveInputs.delete']);
  expect(await actions(`target=${input.id}&to=${from}`)).toEqual(['liveInputs.create']);
  expect(await actions('actor=system')).toEqual(expect.arrayContaining(['signingKeys.create']));
});

import { createCipheriv, pbkdf2Sync, randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { forgetExpired } from '../../src/control/store/forget.ts';
import { connectSqlite } from '../../src/control/store/sqlite.ts';
import { newId } from '../../src/core/ids.ts';
import { serviceToken, startTestControl, type TestControl } from './helpers.ts';

/** What an SRT caller sends that encrypts with this passphrase. */
function wrap(passphrase: string, { keyBytes = 32, salt = randomBytes(16) } = {}) {
  const kek = pbkdf2Sync(passphrase, salt.subarray(8), 2048, keyBytes, 'sha1');
  const cipher = createCipheriv(`id-aes${keyBytes * 8}-wrap`, kek, Buffer.alloc(8, 0xa6));
  const wrapped = Buffer.concat([cipher.update(randomBytes(keyBytes)), cipher.final()]);
  return { salt: salt.toString('base64'), keyBytes, wrapped: wrapped.toString('base64') };
}

const authorize = (test: TestControl, inputId: string, srtKeys: object, more: object = {}) =>
  test.call('POST', '/internal/authorize', {
    key: serviceToken,
    body: { kind: 'publish', inputId, srtKeys, ingest: 'srt', ...more },
  });

async function create(test: TestControl, ingest = 'srt') {
  test.control.setEndpoints({ srtUrl: 'srt://127.0.0.1:9' });
  const { body } = await test.call('POST', '/v1/live-inputs', { body: { name: 'a', ingest } });
  return { id: body.id as string, key: body.stream_key_cleartext as string, passphrase: body.urls?.srtPassphrase };
}
const rotate = async (test: TestControl, id: string, overlapSeconds: number): Promise<string> =>
  (await test.call('POST', `/v1/live-inputs/${id}/rotate-stream-key`, { body: { overlapSeconds } })).body.urls
    .srtPassphrase;

it.each([16, 24, 32])('opens an input to session keys of %i bytes under its passphrase', async (keyBytes) => {
  await using test = await startTestControl();
  const { id, key, passphrase } = await create(test);
  expect(passphrase).toMatch(/^[0-9A-Za-z_-]{32}$/);
  const { status, body } = await authorize(test, id, wrap(passphrase, { keyBytes }));
  expect(status).toBe(200);
  expect(body).toMatchObject({ inputId: id, namespace: ['stream', 'org_local', id], srtPassphrase: passphrase });
  expect(JSON.stringify(body)).not.toContain(key);
});

it('refuses another passphrase, that of another input, and one for no input, alike, and counts them', async () => {
  await using test = await startTestControl();
  const [one, two] = [await create(test), await create(test)];
  expect(one.passphrase).not.toBe(two.passphrase);
  const unknown = newId('lv');
  const tries = [
    [one.id, 'not the passphrase'],
    [one.id, two.passphrase],
    [one.id, one.key],
    [unknown, one.passphrase],
  ] as const;
  for (const [id, passphrase] of tries) {
    const { status, body } = await authorize(test, id, wrap(passphrase));
    expect([status, body.error.code]).toEqual([401, 'UNAUTHORIZED']);
    expect(body.error.message).toBe(`passphrase does not open input ${id}`);
  }
  const from = { remoteAddress: '192.0.2.7:4000' };
  const statuses: number[] = [];
  for (let i = 0; i < 21; i++) statuses.push((await authorize(test, one.id, wrap('no'), from)).status);
  expect(statuses.slice(0, 20)).toEqual(Array(20).fill(401));
  expect(statuses[20]).toBe(429);
});

it('takes each handshake once: one that was recorded opens nothing, whatever is changed in it', async () => {
  await using test = await startTestControl();
  const { id, passphrase } = await create(test);
  const salt = randomBytes(16);
  const keys = wrap(passphrase, { salt });
  expect((await authorize(test, id, keys)).status).toBe(200);
  expect((await authorize(test, id, keys)).status).toBe(401);
  // The half that does not go into the wrapping, and session keys of later in the same connection.
  const other = Buffer.concat([randomBytes(8), salt.subarray(8)]).toString('base64');
  expect((await authorize(test, id, { ...keys, salt: other })).status).toBe(401);
  expect((await authorize(test, id, wrap(passphrase, { salt }))).status).toBe(401);
  expect((await authorize(test, id, wrap(passphrase))).status).toBe(200);
});

it('takes the passphrase of an old key as long as the key', async () => {
  await using test = await startTestControl();
  const { id, passphrase: first } = await create(test);
  const second = await rotate(test, id, 60);
  expect(second).not.toBe(first);
  expect((await authorize(test, id, wrap(first))).body.srtPassphrase).toBe(first);
  expect((await authorize(test, id, wrap(second))).body.srtPassphrase).toBe(second);
  test.clock.now += 60_000;
  expect((await authorize(test, id, wrap(first))).status).toBe(401);
  expect((await authorize(test, id, wrap(second))).status).toBe(200);
  await rotate(test, id, 0);
  expect((await authorize(test, id, wrap(second))).status).toBe(401);
});

it('remembers a handshake as long as its stream key opens the input, and no longer', async () => {
  await using test = await startTestControl();
  const db = connectSqlite(join(test.dataDir, 'control.db'));
  const remembered = async () => {
    await forgetExpired(db, test.clock.now);
    return (await db.selectFrom('redeemed_tokens').select('jti').execute()).length;
  };
  try {
    const [one, other] = [await create(test), await create(test)];
    const [early, kept] = [wrap(one.passphrase), wrap(other.passphrase)];
    await authorize(test, one.id, early);
    await authorize(test, other.id, kept);
    test.clock.now += 20 * 365 * 86_400_000;
    expect(await remembered()).toBe(2);
    const second = await rotate(test, one.id, 600);
    const late = wrap(one.passphrase);
    expect((await authorize(test, one.id, late)).status).toBe(200);
    const newer = wrap(second);
    expect((await authorize(test, one.id, newer)).status).toBe(200);
    test.clock.now += 599_000;
    expect(await remembered()).toBe(4);
    for (const keys of [early, late, newer]) expect((await authorize(test, one.id, keys)).status).toBe(401);
    // The old key has ended; some time is left to a process whose clock is late.
    test.clock.now += 62_000;
    expect(await remembered()).toBe(2);
    for (const keys of [early, late, newer]) expect((await authorize(test, one.id, keys)).status).toBe(401);
    await test.call('DELETE', `/v1/live-inputs/${one.id}`);
    test.clock.now += 61_000;
    expect(await remembered()).toBe(1);
    expect((await authorize(test, one.id, newer)).status).toBe(401);
    expect((await authorize(test, other.id, kept)).status).toBe(401);
  } finally {
    await db.destroy();
  }
});

it('says of an input that is disabled or takes something else so only to who has its passphrase', async () => {
  await using test = await startTestControl();
  const { id, passphrase } = await create(test);
  expect((await authorize(test, id, wrap(passphrase), { ingest: 'rtmp' })).status).toBe(409);
  await test.call('POST', `/v1/live-inputs/${id}/disable`);
  expect((await authorize(test, id, wrap(passphrase))).status).toBe(403);
  expect((await authorize(test, id, wrap('no'))).status).toBe(401);
});

it('refuses key material that is none', async () => {
  await using test = await startTestControl();
  const { id, passphrase } = await create(test);
  const keys = wrap(passphrase);
  for (const bad of [{ salt: '' }, { keyBytes: 17 }, { wrapped: 'A'.repeat(200) }])
    expect((await authorize(test, id, { ...keys, ...bad })).status).toBe(400);
  for (const wrapped of ['', 'AAAA', 'A'.repeat(64), keys.wrapped.slice(0, 32)])
    expect((await authorize(test, id, { ...keys, wrapped })).status).toBe(401);
});

it('leaves no passphrase in the log or on the disk', async () => {
  await using test = await startTestControl();
  const { id, passphrase } = await create(test);
  const next = await rotate(test, id, 60);
  for (const tried of [passphrase, next, 'a wrong passphrase']) await authorize(test, id, wrap(tried));
  expect(test.log.lines.length).toBeGreaterThan(3);
  const files = await readdir(test.dataDir);
  expect(files).toContain('control.db-wal');
  const texts = await Promise.all(
    files.map(async (name) => (await readFile(join(test.dataDir, name))).toString('latin1')),
  );
  for (const text of [...test.log.lines, ...texts])
    for (const secret of [passphrase, next, 'a wrong passphrase']) expect(text.includes(secret)).toBe(false);
});

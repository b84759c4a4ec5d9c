import { generateKeyPairSync } from 'node:crypto';
import { expect, it } from 'vitest';
import { startTestControl, type TestControl } from './helpers.ts';

const publicPem = (pair: { publicKey: { export(options: object): string | Buffer } }) =>
  pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();
const jwks = async (test: TestControl): Promise<{ kid: string; org: string }[]> =>
  (await test.call('GET', '/.well-known/jwks.json', { key: null })).body.keys;
const importKey = (test: TestControl, publicKeyPem: string) =>
  test.call('POST', '/v1/signing-keys/import', { body: { publicKeyPem } });

it('publishes an imported key for its org, and never signs with it', async () => {
  await using test = await startTestControl();
  test.clock.now += 1000;
  const made = (await importKey(test, publicPem(generateKeyPairSync('rsa', { modulusLength: 2048 })))).body;
  expect(made).toMatchObject({ alg: 'RS256', imported: true, status: 'active' });
  expect(await jwks(test)).toContainEqual(expect.objectContaining({ kid: made.id, org: 'org_local', alg: 'RS256' }));
  const input = (await test.call('POST', '/v1/live-inputs', { body: { name: 'a' } })).body;
  const minted = (await test.call('POST', `/v1/live-inputs/${input.id}/playback-tokens`)).body;
  expect(minted.kid).not.toBe(made.id);
  expect((await test.call('POST', `/v1/signing-keys/${made.id}/rotate`)).status).toBe(409);
});

it.each([
  [
    'a private key',
    generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    /private/,
  ],
  ['a short RSA key', publicPem(generateKeyPairSync('rsa', { modulusLength: 1024 })), /2048/],
  [
    'an RSA key of exponent 3',
    publicPem(generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 })),
    /exponent/,
  ],
  ['an EC key', publicPem(generateKeyPairSync('ec', { namedCurve: 'P-256' })), /Ed25519 and RSA/],
  ['no PEM', 'hello', /PEM/],
  ['a PEM of garbage', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n', /readable/],
])('refuses %s', async (_, pem, words) => {
  await using test = await startTestControl();
  const answer = await importKey(test, pem);
  expect([answer.status, answer.body.error.code]).toEqual([400, 'INVALID_ARGUMENT']);
  expect(answer.body.error.message).toMatch(words);
});

it('rotates with an overlap: both are published, the new one signs, the old one goes by itself', async () => {
  await using test = await startTestControl();
  const [old] = await jwks(test);
  test.clock.now += 1000;
  const next = (await test.call('POST', `/v1/signing-keys/${old!.kid}/rotate`, { body: { overlapSeconds: 60 } })).body;
  expect((await jwks(test)).map(({ kid }) => kid)).toEqual([next.id, old!.kid]);
  const input = (await test.call('POST', '/v1/live-inputs', { body: { name: 'a' } })).body;
  expect((await test.call('POST', `/v1/live-inputs/${input.id}/playback-tokens`)).body.kid).toBe(next.id);
  const list = async (status: string): Promise<string[]> =>
    (await test.call('GET', `/v1/signing-keys?status=${status}`)).body.items.map((key: { id: string }) => key.id);
  expect(await list('active')).toEqual([next.id, old!.kid]);
  test.clock.now += 60_000;
  expect((await jwks(test)).map(({ kid }) => kid)).toEqual([next.id]);
  expect([await list('active'), await list('inactive')]).toEqual([[next.id], [old!.kid]]);
  expect((await test.call('POST', `/v1/signing-keys/${old!.kid}/rotate`)).status).toBe(409);
  expect((await test.call('DELETE', `/v1/signing-keys/${old!.kid}`)).status).toBe(200);
});

it('deletes an active key only when forced', async () => {
  await using test = await startTestControl();
  const [key] = await jwks(test);
  expect((await test.call('DELETE', `/v1/signing-keys/${key!.kid}`)).status).toBe(409);
  expect((await test.call('DELETE', `/v1/signing-keys/${key!.kid}?force=true`)).status).toBe(200);
  expect(await jwks(test)).toEqual([]);
});

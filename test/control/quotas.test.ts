import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Answer, serviceToken, startTestControl, type TestControl } from './helpers.ts';

let on: TestControl;
let id: string;
let key: string;

beforeAll(async () => {
  on = await startTestControl();
  const { body } = await on.call('POST', '/v1/orgs', { body: { name: 'tenant' } });
  ({ id, api_key_cleartext: key } = body);
});
afterAll(() => on[Symbol.asyncDispose]());

const set = (quotas: Record<string, number | null>) =>
  on.call('PATCH', '/v1/org/quotas', { body: { forOrg: id, ...quotas } });
const mine = (method: string, path: string, body?: unknown) => on.call(method, path, { key, body });
const code = ({ status, body }: Answer) => (status < 300 ? status : body.error.code);
const upload = (asked: object) =>
  on.call('POST', '/internal/uploads/authorize', {
    key: serviceToken,
    body: { apiKey: key, remoteAddress: '127.0.0.1', ...asked },
  });

it('only the local org sets them, for an org that there is', async () => {
  expect(code(await mine('PATCH', '/v1/org/quotas', { inputs: 1 }))).toBe('FORBIDDEN');
  expect(code(await mine('GET', '/v1/org/quotas?forOrg=org_local'))).toBe('FORBIDDEN');
  expect(code(await on.call('PATCH', '/v1/org/quotas', { body: { forOrg: 'org_none', inputs: 1 } }))).toBe('NOT_FOUND');
  expect(code(await set({ inputs: -1 }))).toBe('INVALID_ARGUMENT');
});

it('an org has as many inputs, assets and webhooks as it may; another number counts from the next on', async () => {
  await set({ inputs: 1, assets: 1, webhooks: 1 });
  const makes: [string, object][] = [
    ['/v1/live-inputs', { name: 'show' }],
    ['/v1/assets', { name: 'film' }],
    ['/v1/webhooks', { url: 'https://example.com/' }],
  ];
  for (const [path, body] of makes) {
    expect(code(await mine('POST', path, body))).toBe(201);
    expect(code(await mine('POST', path, body))).toBe('QUOTA_EXCEEDED');
    expect(code(await on.call('POST', path, { body }))).toBe(201); // another org's
  }
  await set({ inputs: null, assets: 2 });
  expect(code(await mine('POST', '/v1/live-inputs', { name: 'show' }))).toBe(201);
  const { body } = await mine('GET', '/v1/org/quotas');
  expect(body.quotas).toMatchObject({ inputs: 20_000, assets: 2, webhooks: 1 });
  expect(body.used).toEqual({ inputs: 2, assets: 1, unfinishedUploads: 1, unfinishedBytes: 0, webhooks: 1 });
});

it('of many at once no more get through than may', async () => {
  await set({ inputs: 5 });
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => mine('POST', '/v1/live-inputs', { name: 'show' })),
  );
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(3);
});

it('unfinished uploads are counted, and what they promise; a finished one no longer', async () => {
  await set({ assets: null, unfinishedUploads: 3, unfinishedBytes: 1000 });
  const first = await upload({ create: { name: 'a', bytes: 600 } });
  expect(first.status).toBe(200);
  expect(code(await upload({ create: { name: 'b', bytes: 500 } }))).toBe('QUOTA_EXCEEDED');
  const second = await upload({ create: { name: 'b', bytes: 400 } });
  expect(second.status).toBe(200);
  // One of the test before waits too; what was refused left nothing behind.
  expect((await mine('GET', '/v1/org/quotas')).body.used).toMatchObject({
    unfinishedUploads: 3,
    unfinishedBytes: 1000,
  });
  expect(code(await upload({ create: { name: 'c', bytes: 0 } }))).toBe('QUOTA_EXCEEDED');
  const { assetId } = second.body;
  expect(code(await upload({ promise: { assetId, bytes: 401 } }))).toBe('QUOTA_EXCEEDED');
  expect(code(await upload({ promise: { assetId, bytes: 300 } }))).toBe(200);
  const done = { key: serviceToken, body: { status: 'queued' } };
  expect(code(await on.call('POST', `/internal/assets/${first.body.assetId}/state`, done))).toBe(200);
  expect((await mine('GET', '/v1/org/quotas')).body.used).toMatchObject({ unfinishedUploads: 2, unfinishedBytes: 300 });
  expect(code(await upload({ create: { name: 'c', bytes: 700 } }))).toBe(200);
});

it('a recording is an asset too', async () => {
  const { body } = await mine('GET', '/v1/live-inputs?limit=1');
  const asked = { key: serviceToken, body: { inputId: body.items[0].id, startedAt: on.clock.now } };
  expect(code(await on.call('POST', '/internal/recordings', asked))).toBe(200);
  await set({ assets: 1 });
  expect(code(await on.call('POST', '/internal/recordings', asked))).toBe('QUOTA_EXCEEDED');
});

it('an org mints so many tokens a minute, with whatever key', async () => {
  await set({ tokensPerMinute: 2, inputs: null });
  const input = (await mine('GET', '/v1/live-inputs?limit=1')).body.items[0].id;
  const other = (await mine('POST', '/v1/api-keys', { name: 'other', scopes: ['streams:write'] })).body;
  const mint = (by: string) => on.call('POST', `/v1/live-inputs/${input}/playback-tokens`, { key: by, body: {} });
  expect([code(await mint(key)), code(await mint(other.api_key_cleartext))]).toEqual([200, 200]);
  expect(code(await mint(other.api_key_cleartext))).toBe('QUOTA_EXCEEDED');
  on.clock.now += 30_000;
  expect(code(await mint(key))).toBe(200);
  expect(code(await mint(key))).toBe('QUOTA_EXCEEDED');
});

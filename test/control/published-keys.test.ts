import { expect, it } from 'vitest';
import { startTestControl } from './helpers.ts';

it('publishes the keys as they are now, and says when they are what the asker has', async () => {
  await using test = await startTestControl();
  const get = (headers = {}) => test.call('GET', '/.well-known/jwks.json', { key: null, headers });
  const kids = async () => (await get()).body.keys.map(({ kid }: { kid: string }) => kid);
  const first = await get();
  expect(first.headers.get('content-type')).toContain('application/json');
  const etag = first.headers.get('etag')!;
  expect(
    (
      await test.control.fetch(
        new Request(`${test.base}/.well-known/jwks.json`, { headers: { 'if-none-match': etag } }),
      )
    ).status,
  ).toBe(304);
  test.clock.now += 1;
  const made = (await test.call('POST', '/v1/signing-keys', { body: {} })).body.id;
  expect(await kids()).toEqual([made, ...first.body.keys.map(({ kid }: { kid: string }) => kid)]);
  expect((await get({ 'if-none-match': etag })).headers.get('etag')).not.toBe(etag);
  const gone = await test.call('POST', `/v1/signing-keys/${made}/deactivate`);
  expect(gone.status).toBe(200);
  expect(await get()).toMatchObject({ body: first.body });
  expect((await get()).headers.get('etag')).toBe(etag);
});

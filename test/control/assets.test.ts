import { decodeJwt } from 'jose';
import { expect, it } from 'vitest';
import { serviceToken, startTestControl, type TestControl } from './helpers.ts';

const create = async (test: TestControl, body: object = {}) =>
  (await test.call('POST', '/v1/assets', { body: { name: 'film', ...body } })).body;
const report = (test: TestControl, id: string, body: object) =>
  test.call('POST', `/internal/assets/${id}/state`, { key: serviceToken, body });

it('goes from upload to ready as the packager says, and tells when it is there', async () => {
  await using test = await startTestControl({ allowPrivateWebhooks: true });
  const { body: webhook } = await test.call('POST', '/v1/webhooks', { body: { url: 'http://127.0.0.1:1/' } });
  const asset = await create(test);
  const state = async () => (await test.call('GET', `/v1/assets/${asset.id}`)).body;
  await report(test, asset.id, { status: 'queued', bytes: 1000 });
  expect((await report(test, asset.id, { status: 'ready' })).status).toBe(409);
  await report(test, asset.id, { status: 'processing', percent: 40 });
  expect(await state()).toMatchObject({ status: 'processing', percent: 40, bytes: 1000 });
  await report(test, asset.id, { status: 'errored', reason: 'no video in it' });
  expect(await state()).toMatchObject({ status: 'errored', percent: 0, error: 'no video in it' });
  await report(test, asset.id, { status: 'queued' });
  await report(test, asset.id, { status: 'processing', percent: 10 });
  for (let i = 0; i < 2; i++) await report(test, asset.id, { status: 'ready', durationMs: 4000 });
  expect(await state()).toMatchObject({ status: 'ready', percent: 100, error: null, durationMs: 4000, bytes: 1000 });
  const { items } = (await test.call('GET', `/v1/webhooks/${webhook.id}/deliveries`)).body;
  expect(items.map(({ event }: { event: string }) => event).toSorted()).toEqual(['asset.errored', 'asset.ready']);
  expect((await report(test, 'as_nothing', { status: 'queued' })).status).toBe(404);
  expect((await report(test, asset.id, { status: 'lost' })).status).toBe(400);
});

it('takes no step that the packager cannot make', async () => {
  await using test = await startTestControl();
  const asset = await create(test);
  const told = async (status: string) => (await report(test, asset.id, { status })).status;
  expect(await told('processing')).toBe(409);
  expect(await told('ready')).toBe(409);
  expect(await told('errored')).toBe(200);
  expect(await told('queued')).toBe(200);
  expect(await told('processing')).toBe(200);
  expect(await told('ready')).toBe(200);
  expect(await told('ready')).toBe(200);
  expect(await told('errored')).toBe(409);
});

it('of a broadcast is ready without having been packaged', async () => {
  await using test = await startTestControl();
  const { body: input } = await test.call('POST', '/v1/live-inputs', { body: { name: 'talk' } });
  const body = { inputId: input.id, startedAt: Date.now() };
  const { assetId } = (await test.call('POST', '/internal/recordings', { key: serviceToken, body })).body;
  expect((await report(test, assetId, { status: 'processing' })).status).toBe(409);
  expect((await report(test, assetId, { status: 'ready', durationMs: 4000 })).status).toBe(200);
  expect((await test.call('GET', `/v1/assets/${assetId}`)).body).toMatchObject({ status: 'ready', durationMs: 4000 });
});

it('is watched by either of its ids, and by none once it is deleted', async () => {
  await using test = await startTestControl();
  const asset = await create(test);
  const { body: minted } = await test.call('POST', `/v1/assets/${asset.id}/playback-tokens`);
  expect(decodeJwt(minted.token).ns).toEqual([`stream/org_local/${asset.playbackId}`, `stream/org_local/${asset.id}`]);
  await test.call('DELETE', `/v1/assets/${asset.id}`);
  const { revocations } = (await test.call('GET', '/internal/revocations?since=0', { key: serviceToken })).body;
  expect(revocations.map(({ value }: { value: string }) => value).toSorted()).toEqual(
    [asset.id, asset.playbackId].toSorted(),
  );
});

it('keeps external_asset_id unique within the org', async () => {
  await using test = await startTestControl();
  await create(test, { external_asset_id: 'one' });
  expect((await test.call('POST', '/v1/assets', { body: { name: 'b', external_asset_id: 'one' } })).status).toBe(409);
  const other = await create(test, { external_asset_id: 'two' });
  const body = { external_asset_id: 'one' };
  expect((await test.call('PATCH', `/v1/assets/${other.id}`, { body })).status).toBe(409);
});

it('orgs are made by the local org only, and see nothing of each other', async () => {
  await using test = await startTestControl();
  const { body: made } = await test.call('POST', '/v1/orgs', { body: { name: 'branch' } });
  const key = made.api_key_cleartext;
  expect((await test.call('POST', '/v1/orgs', { body: { name: 'x' }, key })).status).toBe(403);
  const { body: input } = await test.call('POST', '/v1/live-inputs', { body: { name: 'theirs' }, key });
  expect((await test.call('GET', `/v1/live-inputs/${input.id}`)).status).toBe(404);
  const names = async (as?: string) =>
    (await test.call('GET', '/v1/orgs', as === undefined ? {} : { key: as })).body.items.map(
      ({ name }: { name: string }) => name,
    );
  expect(await names(key)).toEqual(['branch']);
  expect((await names()).toSorted()).toEqual(['branch', 'local']);
  await test.call('PATCH', '/v1/org', { body: { name: 'twig' }, key });
  expect((await test.call('GET', '/v1/org', { key })).body.name).toBe('twig');
  // What it mints opens only its own namespaces, signed with its own key.
  const { body: minted } = await test.call('POST', `/v1/live-inputs/${input.id}/playback-tokens`, { key });
  const { keys } = (await test.call('GET', '/.well-known/jwks.json', { key: null })).body;
  expect(keys.find(({ kid }: { kid: string }) => kid === minted.kid).org).toBe(made.id);
  expect(decodeJwt(minted.token).ns).toEqual([`stream/${made.id}/${input.id}`]);
});

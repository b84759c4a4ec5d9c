import { expect, it } from 'vitest';
import { newId } from '../../src/core/ids.ts';
import { serviceToken, startTestControl, type TestControl } from './helpers.ts';

const create = async (test: TestControl, body: object = {}) =>
  (await test.call('POST', '/v1/live-inputs', { body: { name: 'a', ...body } })).body;
const heartbeat = async (test: TestControl, live: unknown[], errored: unknown[] = []) =>
  (
    await test.call('POST', '/internal/engine/heartbeat', {
      key: serviceToken,
      body: { engineId: 'one', live, errored },
    })
  ).body;
const publish = (test: TestControl, inputId: string, streamKey: string) =>
  test.call('POST', '/internal/authorize', {
    key: serviceToken,
    body: { kind: 'publish', inputId, streamKey, ingest: 'rtmp' },
  });

it('changes what was given and keeps the rest; an external id stays unique', async () => {
  await using test = await startTestControl();
  const input = await create(test, { external_input_id: 'one' });
  await create(test, { external_input_id: 'two' });
  const update = (body: object) => test.call('PATCH', `/v1/live-inputs/${input.id}`, { body });
  expect((await update({ name: 'b' })).body).toMatchObject({ name: 'b', external_input_id: 'one' });
  expect((await update({ external_input_id: 'two' })).status).toBe(409);
  expect((await update({ external_input_id: null })).body).toMatchObject({ name: 'b', external_input_id: null });
  expect((await test.call('GET', `/v1/live-inputs/${input.id}`)).body).toMatchObject({ name: 'b' });
});

it('refuses publishers of a disabled input in words, and tells its engine to stop', async () => {
  await using test = await startTestControl();
  const input = await create(test);
  expect(await heartbeat(test, [input.id])).toEqual({ ok: true, stop: [], moved: [], record: [] });
  await test.call('POST', `/v1/live-inputs/${input.id}/disable`);
  const refused = await publish(test, input.id, input.stream_key_cleartext);
  expect(refused.status).toBe(403);
  expect(refused.body.error).toMatchObject({ code: 'FORBIDDEN', message: `input ${input.id} is disabled` });
  expect((await publish(test, input.id, 'wrong')).body.error.code).toBe('UNAUTHORIZED');
  expect(await heartbeat(test, [input.id])).toEqual({ ok: true, stop: [input.id], moved: [], record: [] });
  expect(await heartbeat(test, [])).toEqual({ ok: true, stop: [], moved: [], record: [] });
  await test.call('POST', `/v1/live-inputs/${input.id}/enable`);
  expect((await publish(test, input.id, input.stream_key_cleartext)).status).toBe(200);
});

it('tells the engine to stop what was deleted by force or never was', async () => {
  await using test = await startTestControl();
  const input = await create(test);
  await heartbeat(test, [input.id]);
  await test.call('DELETE', `/v1/live-inputs/${input.id}?force=true`);
  const unknown = newId('lv');
  expect((await heartbeat(test, [input.id, unknown])).stop).toEqual([input.id, unknown]);
});

it('lets the old key work until the overlap is over', async () => {
  await using test = await startTestControl();
  const input = await create(test);
  const rotate = async (overlapSeconds: number) =>
    (await test.call('POST', `/v1/live-inputs/${input.id}/rotate-stream-key`, { body: { overlapSeconds } })).body
      .stream_key_cleartext as string;
  const keys = [input.stream_key_cleartext, await rotate(60)];
  const opens = async () => Promise.all(keys.map(async (key) => (await publish(test, input.id, key)).status));
  expect(await opens()).toEqual([200, 200]);
  test.clock.now += 30_000;
  keys.push(await rotate(600)); // the first key is not given more time
  expect(await opens()).toEqual([200, 200, 200]);
  test.clock.now += 30_000;
  expect(await opens()).toEqual([401, 200, 200]);
  keys.push(await rotate(0));
  expect(await opens()).toEqual([401, 401, 401, 200]);
});

it('shows what the engine measures while the input is live, and why it gave up', async () => {
  await using test = await startTestControl();
  const input = await create(test);
  const status = async () => (await test.call('GET', `/v1/live-inputs/${input.id}/status`)).body;
  const stats = { bitrate: 2_500_000, fps: 30, keyframeIntervalMs: 2000 };
  await heartbeat(test, [{ inputId: input.id, stats }]);
  const since = new Date(test.clock.now).toISOString();
  expect(await status()).toMatchObject({ status: 'live', since, stats, statsAt: since, error: null });
  test.clock.now += 2000;
  await heartbeat(test, [{ inputId: input.id, stats: { ...stats, fps: 25 } }]);
  expect(await status()).toMatchObject({ since, stats: { fps: 25 }, statsAt: new Date(test.clock.now).toISOString() });
  await heartbeat(test, [], [{ inputId: input.id, reason: 'the encoder sends no keyframes' }]);
  expect(await status()).toMatchObject({ status: 'errored', stats: null, error: 'the encoder sends no keyframes' });
  await heartbeat(test, [input.id]);
  expect(await status()).toMatchObject({ status: 'live', stats: null, error: null });
  const big = { inputId: input.id, stats: { note: 'x'.repeat(5000) } };
  // Too much is left out: the engine is heard all the same.
  await heartbeat(test, [big]);
  expect(await status()).toMatchObject({ status: 'live', stats: null });
});

it('has a ladder: checked, kept in one form, told to the engine with the grant, its cost in the metrics', async () => {
  await using test = await startTestControl();
  const bad = await test.call('POST', '/v1/live-inputs', { body: { name: 'a', ladder: '721p' } });
  expect(bad).toMatchObject({ status: 400, body: { error: { code: 'INVALID_ARGUMENT' } } });
  const input = await create(test, { ladder: '480p,720P:2500k' });
  expect(input.ladder).toBe('720p:2500k,480p');
  expect((await publish(test, input.id, input.stream_key_cleartext)).body).toMatchObject({ ladder: '720p:2500k,480p' });
  const updated = await test.call('PATCH', `/v1/live-inputs/${input.id}`, { body: { ladder: 'auto,always' } });
  expect(updated.body).toMatchObject({ name: 'a', ladder: 'auto,always' });
  const stats = { transcodeCpuSeconds: 1.5, transcodeMediaSeconds: 6, transcodeRestarts: 0 };
  await heartbeat(test, [{ inputId: input.id, stats }]);
  const metrics = await test.call('GET', '/metrics');
  expect(metrics.body).toContain(`streams_transcode_cpu_seconds_total{input="${input.id}"} 1.5`);
  expect(metrics.body).toContain(`streams_transcode_media_seconds_total{input="${input.id}"} 6`);
});

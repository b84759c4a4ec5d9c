import { describe, expect, it } from 'vitest';
import { newId, newKey } from '../../src/core/ids.ts';
import { serviceToken, startTestControl, type TestControl } from './helpers.ts';

const authorize = (test: TestControl, body: object, key: string | null = serviceToken) =>
  test.call('POST', '/internal/authorize', { key, body: { kind: 'publish', ...body } });
const heartbeat = (test: TestControl, engineId: string, live: unknown[]) =>
  test.call('POST', '/internal/engine/heartbeat', { key: serviceToken, body: { engineId, live } });
const create = async (test: TestControl, ingest = 'rtmp') =>
  (await test.call('POST', '/v1/live-inputs', { body: { name: 'a', ingest } })).body;
const status = async (test: TestControl, id: string) => (await test.call('GET', `/v1/live-inputs/${id}`)).body.status;

it('hides /internal from everybody without the service token', async () => {
  await using test = await startTestControl();
  for (const key of [null, test.adminKey, 'wrong', `${serviceToken}x`])
    for (const path of ['/internal/authorize', '/internal/engine/heartbeat', '/internal/nothing'])
      expect((await test.call('POST', path, { key, body: {} })).status).toBe(404);
  expect((await authorize(test, {})).status).toBe(400);
});

it('opens an input to its stream key', async () => {
  await using test = await startTestControl();
  const input = await create(test);
  const request = { inputId: input.id, streamKey: input.stream_key_cleartext, ingest: 'rtmp' };
  const grant = {
    orgId: 'org_local',
    inputId: input.id,
    namespace: ['stream', 'org_local', input.id],
    at: test.clock.now,
    record: false,
    ladder: 'none',
  };
  expect((await authorize(test, request)).body).toEqual(grant);
  expect((await authorize(test, { ...request, ingest: 'engine', remoteAddress: '127.0.0.1:9' })).body).toEqual(grant);
  expect((await authorize(test, { inputId: input.id, ingest: 'engine' })).body).toEqual(grant);
});

it('answers a wrong key, the key of another input and an unknown input alike', async () => {
  await using test = await startTestControl();
  const input = await create(test);
  const other = await create(test);
  const unknown = newId('lv');
  const tries = [
    [input.id, newKey('sk_live')],
    [input.id, other.stream_key_cleartext],
    [input.id, ''],
    [unknown, input.stream_key_cleartext],
  ] as const;
  for (const [inputId, streamKey] of tries) {
    const answer = await authorize(test, { inputId, streamKey, ingest: 'rtmp' });
    expect(answer.status).toBe(401);
    expect(answer.body.error).toMatchObject({
      code: 'UNAUTHORIZED',
      message: `stream key does not open input ${inputId}`,
    });
  }
  expect((await authorize(test, { inputId: '../x', streamKey: 'k', ingest: 'rtmp' })).status).toBe(401);
});

it('refuses the old key after a rotation, and any after a delete', async () => {
  await using test = await startTestControl();
  const input = await create(test);
  const rotated = (await test.call('POST', `/v1/live-inputs/${input.id}/rotate-stream-key`)).body;
  const ask = (streamKey: string) => authorize(test, { inputId: input.id, streamKey, ingest: 'rtmp' });
  expect((await ask(input.stream_key_cleartext)).status).toBe(401);
  expect((await ask(rotated.stream_key_cleartext)).status).toBe(200);
  await test.call('DELETE', `/v1/live-inputs/${input.id}`);
  expect((await ask(rotated.stream_key_cleartext)).status).toBe(401);
});

it('says when the input takes another ingest', async () => {
  await using test = await startTestControl();
  const input = await create(test, 'srt');
  const answer = await authorize(test, { inputId: input.id, streamKey: input.stream_key_cleartext, ingest: 'rtmp' });
  expect(answer.status).toBe(409);
  expect(answer.body.error).toMatchObject({ code: 'CONFLICT', message: 'this input takes srt, not rtmp' });
  const moqt = await authorize(test, { inputId: input.id, streamKey: input.stream_key_cleartext, ingest: 'moqt' });
  expect(moqt.body.error).toMatchObject({ code: 'CONFLICT', message: 'this input takes srt, not moqt' });
  const packaged = await create(test, 'fmp4');
  const request = { inputId: packaged.id, streamKey: packaged.stream_key_cleartext };
  for (const ingest of ['moqt', 'fmp4'])
    expect((await authorize(test, { ...request, ingest })).status, ingest).toBe(200);
});

it('limits failed publishes by address, not by port, and lets the right key through', async () => {
  await using test = await startTestControl();
  const input = await create(test);
  const statuses = new Set<number>();
  for (let port = 1; port <= 25; port++) {
    const remoteAddress = `10.0.0.1:${port}`;
    const request = { inputId: input.id, streamKey: newKey('sk_live'), ingest: 'rtmp', remoteAddress };
    statuses.add((await authorize(test, request)).status);
  }
  expect([...statuses]).toEqual([401, 429]);
  const right = { inputId: input.id, streamKey: input.stream_key_cleartext, ingest: 'rtmp' };
  expect((await authorize(test, { ...right, remoteAddress: '10.0.0.1:99' })).status).toBe(200);
});

it('sets exactly the inputs of a heartbeat live', async () => {
  await using test = await startTestControl();
  const [a, b, c] = [await create(test), await create(test), await create(test)];
  await heartbeat(test, 'one', [a.id, { inputId: b.id, viewers: 3 }]);
  await heartbeat(test, 'two', [c.id, newId('lv'), 'nonsense']);
  expect(await Promise.all([a, b, c].map(({ id }) => status(test, id)))).toEqual(['live', 'live', 'live']);
  await heartbeat(test, 'one', [b.id]);
  expect(await Promise.all([a, b, c].map(({ id }) => status(test, id)))).toEqual(['idle', 'live', 'live']);
  await heartbeat(test, 'two', [{ inputId: b.id, took: true }, c.id]); // the encoder moved
  await heartbeat(test, 'one', []);
  expect(await status(test, b.id)).toBe('live');
  expect((await heartbeat(test, 'no good!', [])).status).toBe(400);
});

describe('an input of several engines', () => {
  const claim = async (test: TestControl, engineId: string, inputId: string) => {
    const body = { engineId, inputId };
    return (await test.call('POST', '/internal/engine/claim', { key: serviceToken, body })).status;
  };
  const moved = async (test: TestControl, engineId: string, live: unknown[]) =>
    (await heartbeat(test, engineId, live)).body.moved;

  it('is held by the first that claims it, for as long as it says that it is live there', async () => {
    await using test = await startTestControl();
    const { id } = await create(test, 'fmp4');
    expect([await claim(test, 'one', id), await claim(test, 'two', id), await claim(test, 'one', id)]).toEqual([
      200, 409, 200,
    ]);
    expect(await status(test, id)).toBe('idle');
    for (let beat = 0; beat < 5; beat++) {
      expect(await moved(test, 'one', [id])).toEqual([]);
      test.clock.now += 4000;
      expect(await claim(test, 'two', id)).toBe(409);
    }
    await moved(test, 'one', []); // given up at once
    expect(await claim(test, 'two', id)).toBe(200);
  });

  it('is free some seconds after the engine went silent, which hears of it when it is back', async () => {
    await using test = await startTestControl();
    const [kept, lost] = [await create(test, 'fmp4'), await create(test, 'fmp4')];
    await heartbeat(test, 'one', [kept.id, lost.id]);
    test.clock.now += 6000;
    expect(await claim(test, 'two', lost.id)).toBe(409);
    test.clock.now += 1;
    expect(await claim(test, 'two', lost.id)).toBe(200);
    expect(await moved(test, 'one', [kept.id, lost.id])).toEqual([lost.id]);
    expect(await moved(test, 'two', [lost.id])).toEqual([]);
    await heartbeat(test, 'one', [kept.id]); // it obeys, which ends nothing of the other
    expect([await status(test, kept.id), await status(test, lost.id)]).toEqual(['live', 'live']);
  });

  it('is the one with the newest publisher where encoders push, in whichever order the engines speak', async () => {
    await using test = await startTestControl();
    const { id } = await create(test);
    expect(await moved(test, 'one', [{ inputId: id, took: true }])).toEqual([]);
    expect(await moved(test, 'two', [{ inputId: id, took: true }])).toEqual([]);
    expect(await moved(test, 'two', [id])).toEqual([]);
    expect(await moved(test, 'one', [id])).toEqual([id]);
    expect(await moved(test, 'two', [id])).toEqual([]);
    expect(await status(test, id)).toBe('live');
  });

  it("is nobody's when it is disabled, deleted or never was", async () => {
    await using test = await startTestControl();
    const { id } = await create(test, 'fmp4');
    await test.call('POST', `/v1/live-inputs/${id}/disable`);
    expect([await claim(test, 'one', id), await claim(test, 'one', newId('lv'))]).toEqual([409, 409]);
    await test.call('POST', `/v1/live-inputs/${id}/enable`);
    expect(await claim(test, 'one', id)).toBe(200);
    expect(await claim(test, 'no good!', id)).toBe(400);
  });
});

it('lets inputs go idle when their engine is silent for more than 6 s', async () => {
  await using test = await startTestControl();
  const [a, b] = [await create(test), await create(test)];
  await heartbeat(test, 'one', [a.id]);
  test.clock.now += 4000;
  await heartbeat(test, 'two', [b.id]);
  test.clock.now += 2000;
  expect([await status(test, a.id), await status(test, b.id)]).toEqual(['live', 'live']);
  test.clock.now += 1;
  expect((await test.call('GET', '/v1/status')).body.inputs).toEqual({ idle: 1, live: 1, errored: 0 });
  expect((await test.call('GET', '/v1/live-inputs?status=live')).body.items).toHaveLength(1);
  expect([await status(test, a.id), await status(test, b.id)]).toEqual(['idle', 'live']);
  await heartbeat(test, 'one', [a.id]);
  expect(await status(test, a.id)).toBe('live');
});

it('notices a silent engine without being asked', async () => {
  await using test = await startTestControl();
  const input = await create(test);
  await heartbeat(test, 'one', [input.id]);
  test.clock.now += 6001;
  await expect.poll(() => test.log.lines.join(), { timeout: 5000 }).toContain('its engine went silent');
});

it('refuses to delete a live input unless forced', async () => {
  await using test = await startTestControl();
  const input = await create(test);
  await heartbeat(test, 'one', [input.id]);
  expect((await test.call('DELETE', `/v1/live-inputs/${input.id}`)).status).toBe(409);
  expect((await test.call('DELETE', `/v1/live-inputs/${input.id}?force=false`)).status).toBe(409);
  expect((await test.call('DELETE', `/v1/live-inputs/${input.id}?force=true`)).status).toBe(200);
});

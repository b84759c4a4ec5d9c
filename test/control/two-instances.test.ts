import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Control, startControl } from '../../src/control/control.ts';
import { silentLogger } from '../../src/core/log.ts';
import { serviceToken, startTestControl, type TestControl } from './helpers.ts';
import { type PostgresServer, startPostgres } from './postgres-server.ts';

let server: PostgresServer;
let one: TestControl;
let two: Control;

beforeAll(async () => {
  server = await startPostgres();
  const databaseUrl = await server.newDatabase();
  one = await startTestControl({ databaseUrl, allowPrivateWebhooks: true });
  two = await startControl({
    host: '127.0.0.1',
    port: 0,
    dataDir: one.dataDir, // the master key they share
    databaseUrl,
    serviceToken,
    logger: silentLogger,
    allowPrivateWebhooks: true,
    now: () => one.clock.now,
  });
});
afterAll(async () => {
  await two?.close();
  await one?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
});

async function callTwo(method: string, path: string, body?: unknown, key = one.adminKey, headers: object = {}) {
  const response = await two.fetch(
    new Request(`http://two${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
  );
  return { status: response.status, body: await response.json() };
}

it('share one installation: issuer, keys, inputs', async () => {
  expect(two.issuer).toBe(one.control.issuer);
  expect(await two.bootstrap()).toEqual({});
  const { body: input } = await one.call('POST', '/v1/live-inputs', { body: { name: 'a' } });
  expect((await callTwo('GET', `/v1/live-inputs/${input.id}`)).body).toMatchObject({ id: input.id, name: 'a' });
  const { body: renamed } = await callTwo('PATCH', `/v1/live-inputs/${input.id}`, { name: 'b' });
  expect((await one.call('GET', `/v1/live-inputs/${input.id}`)).body).toEqual(renamed);
  expect((await callTwo('GET', '/v1/live-inputs?limit=1')).body.items[0].id).toBe(input.id);
  const minted = await callTwo('POST', `/v1/live-inputs/${input.id}/playback-tokens`);
  const jwks = (await one.call('GET', '/.well-known/jwks.json', { key: null })).body;
  expect(jwks.keys.map(({ kid }: { kid: string }) => kid)).toEqual([minted.body.kid]);
});

it('honour at once what the other one rotated, revoked, disabled or redeemed', async () => {
  const { body: input } = await one.call('POST', '/v1/live-inputs', { body: { name: 'a' } });
  const publish = async (streamKey: string) =>
    (
      await callTwo(
        'POST',
        '/internal/authorize',
        { kind: 'publish', inputId: input.id, streamKey, ingest: 'rtmp' },
        serviceToken,
      )
    ).status;
  expect(await publish(input.stream_key_cleartext)).toBe(200);
  const { body: rotated } = await one.call('POST', `/v1/live-inputs/${input.id}/rotate-stream-key`);
  expect([await publish(input.stream_key_cleartext), await publish(rotated.stream_key_cleartext)]).toEqual([401, 200]);
  await one.call('POST', `/v1/live-inputs/${input.id}/disable`);
  expect(await publish(rotated.stream_key_cleartext)).toBe(403);

  await one.call('POST', '/v1/playback/revocations', { body: { jti: 'x' } });
  const news = await callTwo('GET', '/internal/revocations?since=0', undefined, serviceToken);
  expect(news.body.revocations).toContainEqual(expect.objectContaining({ kind: 'jti', value: 'x' }));

  const redeem = { org: 'org_local', jti: 'once', expiresAt: one.clock.now + 1000 };
  const redeemed = await Promise.all([
    one.call('POST', '/internal/playback-tokens/redeem', { key: serviceToken, body: redeem }),
    callTwo('POST', '/internal/playback-tokens/redeem', redeem, serviceToken),
  ]);
  expect(redeemed.map(({ status }) => status).toSorted()).toEqual([200, 409]);

  const { body: apiKey } = await one.call('POST', '/v1/api-keys', { body: { name: 'k' } });
  expect((await callTwo('GET', '/v1/whoami', undefined, apiKey.api_key_cleartext)).status).toBe(200);
  await one.call('POST', `/v1/api-keys/${apiKey.id}/revoke`);
  expect((await callTwo('GET', '/v1/whoami', undefined, apiKey.api_key_cleartext)).status).toBe(401);
});

it('make one signing key and do one keyed request, though both are asked at once', async () => {
  for (const key of (await one.call('GET', '/v1/signing-keys?status=active')).body.items)
    await one.call('POST', `/v1/signing-keys/${key.id}/deactivate`);
  const { body: input } = await one.call('POST', '/v1/live-inputs', { body: { name: 'a' } });
  const mint = `/v1/live-inputs/${input.id}/playback-tokens`;
  const minted = await Promise.all(
    [one, two, one, two].map((on) => (on === two ? callTwo('POST', mint) : one.call('POST', mint))),
  );
  expect(new Set(minted.map(({ body }) => body.kid)).size).toBe(1);

  const headers = { 'idempotency-key': 'k' };
  const body = { name: 'once' };
  const made = await Promise.all([
    one.call('POST', '/v1/live-inputs', { body, headers }),
    callTwo('POST', '/v1/live-inputs', body, one.adminKey, headers),
    one.call('POST', '/v1/live-inputs', { body, headers }),
  ]);
  expect(new Set(made.map((answer) => answer.body.stream_key_cleartext)).size).toBe(1);
});

it('give an input to one engine, though several ask both at once', async () => {
  const { body: input } = await one.call('POST', '/v1/live-inputs', { body: { name: 'a', ingest: 'fmp4' } });
  const claims = await Promise.all(
    ['a', 'b', 'c', 'd', 'e', 'f'].map((engineId, i) => {
      const body = { engineId, inputId: input.id };
      if (i % 2 === 0) return one.call('POST', '/internal/engine/claim', { key: serviceToken, body });
      return callTwo('POST', '/internal/engine/claim', body, serviceToken);
    }),
  );
  expect(claims.map(({ status }) => status).toSorted()).toEqual([200, 409, 409, 409, 409, 409]);
});

it('count the same sessions and events', async () => {
  const now = one.clock.now;
  const session = { org: 'org_local', inputId: 'lv_a', transport: 'quic', startedAt: now - 9000, bytes: 5, dropped: 1 };
  const viewers = [
    { ...session, id: 'a', viewer: 'x', updatedAt: now, startupMs: 100 },
    { ...session, id: 'b', viewer: 'y', updatedAt: now - 1000, endedAt: now - 1000, startupMs: 201 },
  ];
  await one.call('POST', '/internal/analytics', { key: serviceToken, body: { node: 'r', viewers } });
  await callTwo('POST', '/internal/analytics', { node: 'r', viewers, broadcasts: [] }, serviceToken);
  const read = async (path: string) => (await callTwo('GET', `/v1/analytics/${path}`)).body;
  const figures = {
    sessions: 2,
    viewers: 2,
    watchSeconds: 17,
    startupMs: 150.5,
    startupMsMax: 201,
    dropped: 2,
    groupsDropped: 0,
    bytes: 10,
  };
  expect((await read('summary')).items).toEqual([{ inputId: 'lv_a', ...figures }]);
  expect((await read('summary?by=day')).items).toMatchObject([{ day: expect.stringMatching(/^\d{4}-\d\d-\d\d$/) }]);
  expect(await read('viewers')).toEqual({ viewers: 1, items: [{ inputId: 'lv_a', viewers: 1 }] });
  expect((await read('concurrent-viewers')).peak).toBe(2);
  expect((await read('viewer-sessions?limit=1')).nextCursor).toEqual(expect.any(String));
  const event = { id: 'e', type: 'stall', at: new Date(now).toISOString() };
  const sent = [await one.call('POST', '/v0/events', { body: event }), await callTwo('POST', '/v0/events', event)];
  expect(sent.map(({ body }) => body.accepted)).toEqual([1, 0]);
  expect((await read('events')).items).toHaveLength(1);
});

it('send every webhook once, and go on when one of them is gone', async () => {
  const got: string[] = [];
  const hook = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    got.push(JSON.parse(body).data.inputId);
    response.end();
  });
  await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
  try {
    const url = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/`;
    await one.call('POST', '/v1/webhooks', { body: { url, events: ['input.live', 'input.idle'] } });
    const ids: string[] = [];
    for (let i = 0; i < 30; i++)
      ids.push((await one.call('POST', '/v1/live-inputs', { body: { name: `n${i}` } })).body.id);
    const beat = { engineId: 'one', live: ids };
    await one.call('POST', '/internal/engine/heartbeat', { key: serviceToken, body: beat });
    await callTwo('POST', '/internal/engine/heartbeat', beat, serviceToken); // the engine asks the other one: no news
    await expect.poll(() => got.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(30);
    expect(got.toSorted()).toEqual(ids.toSorted());
    await two.close();
    await one.call('POST', '/internal/engine/heartbeat', { key: serviceToken, body: { engineId: 'one', live: [] } });
    await expect.poll(() => got.length, { timeout: 10_000 }).toBe(60);
    const { items } = (await one.call('GET', '/v1/webhooks')).body;
    const log = (await one.call('GET', `/v1/webhooks/${items[0].id}/deliveries?limit=200`)).body.items;
    expect(log.map(({ attempts }: { attempts: number }) => attempts)).toEqual(Array(60).fill(1));
  } finally {
    await new Promise((resolve) => hook.close(resolve));
  }
});

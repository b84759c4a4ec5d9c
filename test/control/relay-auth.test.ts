import { expect, it } from 'vitest';
import { serverAuthoriser } from '../../src/access/auth-server.ts';
import { engineProof } from '../../src/access/engine-proof.ts';
import { newKey } from '../../src/core/ids.ts';
import { silentLogger } from '../../src/core/log.ts';
import { serviceToken, startTestControl, type TestControl } from './helpers.ts';

const path = '/internal/relay-auth';
const ask = (test: TestControl, body: object) =>
  test.call('POST', path, {
    key: serviceToken,
    body: { id: '00ff', event: 'connect', node: 'edge', transport: 'quic', remote: '203.0.113.9:4433', ...body },
  });
async function setUp(rules: object = {}) {
  const test = await startTestControl();
  const { body: input } = await test.call('POST', '/v1/live-inputs', { body: { name: 'a' } });
  const { body: minted } = await test.call('POST', `/v1/live-inputs/${input.id}/playback-tokens`, {
    body: { viewerId: 'x', ...rules },
  });
  const proof = `engine=${engineProof(serviceToken, `publish ${input.id}`)}`;
  const publish = { path: `/publish/${input.id}`, query: `sk=${input.stream_key_cleartext}&${proof}` };
  const watch = { path: `/playback/${input.id}`, query: `tok=${minted.token}` };
  return { test, input, minted, publish, watch, [Symbol.asyncDispose]: () => test[Symbol.asyncDispose]() };
}

it('grants a publisher and a viewer their namespace, until when and how often to ask', async () => {
  await using at = await setUp();
  const { test, input, minted, publish, watch } = at;
  const pattern = [`stream/org_local/${input.id}/**`];
  expect((await ask(test, publish)).body).toEqual({
    root: '',
    publish: pattern,
    subscribe: [],
    expires: Math.floor(test.clock.now / 1000) + 3600,
    revalidate: 5,
  });
  const grant = {
    root: '',
    publish: [],
    subscribe: pattern,
    expires: Date.parse(minted.expires_at) / 1000,
    revalidate: 5,
  };
  expect((await ask(test, watch)).body).toEqual(grant);
  expect((await ask(test, { ...watch, event: 'revalidate' })).body).toEqual(grant);
  const setup = { path: watch.path, token: { kind: 0, value: Buffer.from(minted.token).toString('base64url') } };
  expect((await ask(test, setup)).body).toEqual(grant);
  expect((await ask(test, { path: watch.path, query: `jwt=${minted.token}` })).body).toEqual(grant);
});

it('refuses with 401 or 403 what shows nothing, too much, the wrong thing or the wrong path', async () => {
  await using at = await setUp();
  const { test, input, minted, publish, watch } = at;
  const setup = { kind: 0, value: Buffer.from(minted.token).toString('base64url') };
  for (const [body, status] of [
    [{ path: publish.path }, 401],
    [{ path: publish.path, query: `sk=${newKey('sk_live')}` }, 401],
    [{ path: publish.path, query: watch.query }, 401],
    [{ path: watch.path, query: publish.query }, 401],
    [{ path: watch.path, query: 'tok=nonsense' }, 401],
    [{ ...watch, token: setup }, 401],
    [{ path: watch.path, token: { ...setup, kind: 3 } }, 401],
    [{ ...watch, tls: { name: 'edge' } }, 403],
    [{ path: '/', query: watch.query }, 403],
    [{ path: '/', query: 'jwt=wrong' }, 403],
    [{ path: '/demo', query: `jwt=${serviceToken}` }, 403],
    [{ path: '/ingest', query: `sk=${engineProof(serviceToken, 'publish lv_1')}` }, 403],
    [{ path: publish.path, query: `engine=${engineProof(serviceToken, 'ingest')}` }, 401],
    [{ path: publish.path, query: `sk=${input.stream_key_cleartext}` }, 403], // an encoder, and the input takes RTMP
    [{ path: `/playback/${input.id}/../x`, query: watch.query }, 403],
  ] as const)
    expect((await ask(test, body)).status, JSON.stringify(body)).toBe(status);
  expect((await ask(test, { ...watch, event: 'lost' })).status).toBe(400);
});

it('lets in relays of the cluster, the engine, and MoQT publishers below a root of their own', async () => {
  await using at = await setUp();
  const { test, input } = at;
  const lasting = { expires: Math.floor(test.clock.now / 1000) + 3600, revalidate: 5 };
  const peer = { root: '', publish: ['**'], subscribe: ['**'], peer: true };
  expect((await ask(test, { path: '/', query: `jwt=${serviceToken}` })).body).toEqual({ ...peer, ...lasting });
  const fetches = { path: '/ingest', query: `sk=${engineProof(serviceToken, 'ingest')}` };
  const whole = { root: '', publish: [], subscribe: ['ingest/**'] };
  expect((await ask(test, fetches)).body).toEqual({ ...whole, ...lasting });
  const vouched = { path: `/publish/${input.id}`, query: at.publish.query.replace(/^sk=[^&]*&/, '') };
  expect((await ask(test, vouched)).body.publish).toEqual([`stream/org_local/${input.id}/**`]);

  const { body: pushed } = await test.call('POST', '/v1/live-inputs', { body: { name: 'b', ingest: 'fmp4' } });
  const encoder = { path: `/publish/${pushed.id}`, query: `sk=${pushed.stream_key_cleartext}` };
  const own = { root: `ingest/org_local/${pushed.id}/00ff`, publish: ['**'], subscribe: [] };
  expect((await ask(test, encoder)).body).toEqual({ ...own, ...lasting });
  expect((await ask(test, { ...encoder, event: 'revalidate' })).body).toEqual({ ...own, ...lasting });
});

it('takes back what was revoked, disabled or rotated when it is asked again', async () => {
  await using at = await setUp();
  const { test, input, publish, watch } = at;
  const again = (body: object) => ask(test, { ...body, event: 'revalidate' });
  await test.call('POST', '/v1/playback/revocations', { body: { viewerId: 'x' } });
  expect((await again(watch)).status).toBe(401);
  await test.call('POST', `/v1/live-inputs/${input.id}/disable`);
  expect((await again(publish)).status).toBe(403);
  await test.call('POST', `/v1/live-inputs/${input.id}/enable`);
  expect((await again(publish)).status).toBe(200);
  await test.call('POST', `/v1/live-inputs/${input.id}/rotate-stream-key`);
  expect((await again(publish)).status).toBe(401);
});

it('lets a one-time token connect once and go on, and keeps to its addresses', async () => {
  await using at = await setUp({ once: true, addresses: ['203.0.113.0/24'] });
  expect((await ask(at.test, { ...at.watch, remote: '198.51.100.1:1' })).status).toBe(401);
  expect((await ask(at.test, at.watch)).status).toBe(200);
  expect((await ask(at.test, { ...at.watch, event: 'revalidate' })).status).toBe(200);
  expect((await ask(at.test, { ...at.watch, id: '01' })).status).toBe(401);
});

it('counts the sessions of such relays like our own', async () => {
  await using at = await setUp();
  const { test, watch, publish } = at;
  await ask(test, watch);
  await ask(test, { ...publish, id: '11' });
  expect((await test.call('GET', '/v1/analytics/viewers')).body.viewers).toBe(1);
  test.clock.now += 30_000;
  await ask(test, { ...watch, event: 'revalidate' });
  const end = { event: 'end', reason: 'disconnected', duration: 30, bytes: { sent: 5000, received: 7 } };
  expect((await ask(test, { ...watch, ...end })).status).toBe(204);
  await ask(test, { ...publish, id: '11', ...end });
  expect((await test.call('GET', '/v1/analytics/viewers')).body.viewers).toBe(0);
  const session = { node: 'edge', seconds: 30, reason: 'disconnected' };
  expect((await test.call('GET', '/v1/analytics/viewer-sessions')).body.items).toMatchObject([
    { ...session, viewerId: 'x', transport: 'quic', bytes: 5000 },
  ]);
  expect((await test.call('GET', '/v1/analytics/broadcasts')).body.items).toMatchObject([{ ...session, bytes: 7 }]);
});

it('is hidden without the service token, which may come in the URL', async () => {
  await using at = await setUp();
  const body = JSON.stringify({ id: '00', event: 'connect', transport: 'quic', ...at.watch });
  const status = async (query: string, authorization?: string) =>
    (
      await at.test.control.fetch(
        new Request(`http://x${path}${query}`, {
          method: 'POST',
          body,
          ...(authorization !== undefined && { headers: { authorization } }),
        }),
      )
    ).status;
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
  expect(await status('')).toBe(404);
  expect(await status('?token=wrong')).toBe(404);
  expect(await status('', basic('relay:wrong'))).toBe(404);
  expect(await status(`?token=${serviceToken}`)).toBe(200);
  expect(await status('', basic(`relay:${serviceToken}`))).toBe(200);
  const other = await at.test.control.fetch(new Request(`http://x/internal/revocations?token=${serviceToken}`));
  expect(other.status).toBe(404);
  expect(at.test.log.lines.join()).not.toContain(serviceToken);
});

it('is what our own relay asks when it is given an auth server', async () => {
  await using at = await setUp();
  const authoriser = serverAuthoriser({
    url: `${at.test.base}${path}?token=${serviceToken}`,
    node: 'edge',
    logger: silentLogger,
  });
  const session = (what: { path: string; query: string }) =>
    authoriser.authorise({ path: `${what.path}?${what.query}`, remoteAddress: '203.0.113.9:1' });
  expect(await session(at.watch)).toMatchObject({ kind: 'playback', root: [] });
  expect(await session(at.publish)).toMatchObject({ kind: 'publish', root: [] });
  await expect(session({ ...at.watch, query: 'tok=x' })).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
});

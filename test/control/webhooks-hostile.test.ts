import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { switchOffFailures, switchOffMs } from '../../src/control/webhooks/dispatcher.ts';
import { fairShares } from '../../src/control/webhooks/fair-shares.ts';
import { post } from '../../src/control/webhooks/send.ts';
import { startTestControl, type TestControl } from './helpers.ts';

/** A raw TCP endpoint; `behave` gets each connection once its request has come. */
async function hostile(behave: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server: Server = createServer((socket) => {
    connections++;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.once('data', () => behave(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    connections: () => connections,
    open: () => sockets.size,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Writes again and again for as long as the other side is there. */
const forEver =
  (bytes: string, everyMs = 5) =>
  (socket: Socket) => {
    const timer = setInterval(() => socket.write(bytes), everyMs);
    socket.on('close', () => clearInterval(timer));
  };

const switching = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n';

const behaviours: Record<string, (socket: Socket) => void> = {
  'answers 101': (socket) => socket.write(switching),
  'answers 101 and talks on': (socket) => {
    socket.write(switching);
    forEver('x')(socket);
  },
  'answers 101 and hangs up': (socket) => socket.end(switching),
  'sends interim answers without end': forEver('HTTP/1.1 103 Early Hints\r\n\r\n', 2),
  'sends 100 Continue now and then': forEver('HTTP/1.1 100 Continue\r\n\r\n', 100),
  'sends a head without end': (socket) => {
    socket.write('HTTP/1.1 200 OK\r\n');
    forEver('a: b\r\n', 20)(socket);
  },
  'says nothing': () => {},
  'hangs up': (socket) => socket.destroy(),
  'is no HTTP': (socket) => socket.write('SSH-2.0-x\r\n'),
};

describe('an attempt ends in time, and leaves no connection, at an endpoint that', () => {
  it.each(Object.entries(behaviours))('%s', async (_, behave) => {
    await using endpoint = await hostile(behave);
    const began = performance.now();
    const posting = { url: endpoint.url, body: '{}', headers: {}, allowPrivate: true, withinMs: 400 };
    const outcome = await post(posting).catch((error: { code: string }) => error.code);
    expect([101, 'TIMEOUT', 'LIMIT_EXCEEDED', 'TRANSPORT_CLOSED']).toContain(outcome);
    expect(performance.now() - began).toBeLessThan(2000);
    await expect.poll(endpoint.open, { timeout: 2000 }).toBe(0);
  });

  it('answers with a body without end', async () => {
    await using endpoint = await hostile((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n');
      forEver('1\r\nx\r\n')(socket);
    });
    expect(await post({ url: endpoint.url, body: '{}', headers: {}, allowPrivate: true })).toBe(200);
    await expect.poll(endpoint.open, { timeout: 2000 }).toBe(0);
  });

  it('never finishes its TLS handshake', async () => {
    await using endpoint = await hostile(() => {});
    const url = endpoint.url.replace('http:', 'https:');
    await expect(post({ url, body: '{}', headers: {}, allowPrivate: true, withinMs: 300 })).rejects.toMatchObject({
      code: 'TIMEOUT',
    });
    await expect.poll(endpoint.open, { timeout: 2000 }).toBe(0);
  });
});

async function receiver() {
  const got: string[] = [];
  const state = { status: 200 };
  const server = createHttpServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    got.push(JSON.parse(body).type);
    response.writeHead(state.status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    got,
    state,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const addHook = async (test: TestControl, url: string, events?: string[], key?: string) =>
  (await test.call('POST', '/v1/webhooks', { body: { url, ...(events && { events }) }, ...(key && { key }) })).body;
const newInput = async (test: TestControl, key?: string) =>
  (await test.call('POST', '/v1/live-inputs', { body: { name: 'a' }, ...(key && { key }) })).body.id as string;
const rotate = (test: TestControl, id: string, key?: string) =>
  test.call('POST', `/v1/live-inputs/${id}/rotate-stream-key`, { body: {}, ...(key && { key }) });
/** Of a new org: its admin key. */
const newOrg = async (test: TestControl) =>
  (await test.call('POST', '/v1/orgs', { body: { name: 'other' } })).body.api_key_cleartext as string;

it('64 attempts at endpoints that answer 101 hold up nobody: the good one gets all, each attempt fails', async () => {
  await using test = await startTestControl({ allowPrivateWebhooks: true });
  await using bad = await hostile((socket) => socket.write(switching));
  await using good = await receiver();
  const hooks = [];
  for (let i = 0; i < 8; i++) hooks.push(await addHook(test, bad.url));
  await addHook(test, good.url);
  const input = await newInput(test);
  for (let i = 0; i < 9; i++) await rotate(test, input);
  await expect.poll(() => good.got, { timeout: 10_000 }).toEqual(Array(9).fill('key.rotated'));
  const first = async (id: string) => (await test.call('GET', `/v1/webhooks/${id}/deliveries`)).body.items.at(-1);
  for (const { id } of hooks)
    await expect
      .poll(() => first(id), { timeout: 10_000 })
      .toMatchObject({ status: 'pending', responseStatus: 101, error: 'the endpoint answered 101' });
});

it('60 endpoints of one org that never answer hold up no other org', { timeout: 40_000 }, async () => {
  await using test = await startTestControl({ allowPrivateWebhooks: true });
  await using slow = await hostile(() => {});
  await using good = await receiver();
  const theirs = await newOrg(test);
  for (let i = 0; i < 60; i++) await addHook(test, slow.url, ['key.rotated'], theirs);
  await addHook(test, good.url);
  const [flooding, input] = [await newInput(test, theirs), await newInput(test)];
  for (let i = 0; i < 5; i++) await rotate(test, flooding, theirs);
  await expect.poll(slow.open, { timeout: 10_000 }).toBeGreaterThanOrEqual(128); // half of what there is
  for (let i = 0; i < 10; i++) {
    const began = performance.now();
    await rotate(test, input);
    await expect.poll(() => good.got.length, { timeout: 5000, interval: 20 }).toBe(i + 1);
    expect(performance.now() - began).toBeLessThan(2500);
  }
});

it('switches off what fails for three days, says so to the others, and sends again once it is enabled', async () => {
  await using test = await startTestControl({ allowPrivateWebhooks: true });
  await using bad = await receiver();
  await using good = await receiver();
  bad.state.status = 500;
  const hook = await addHook(test, bad.url, ['key.rotated']);
  await addHook(test, good.url, ['webhook.disabled']);
  const input = await newInput(test);
  const shown = async () =>
    (await test.call('GET', '/v1/webhooks')).body.items.find(({ id }: { id: string }) => id === hook.id);
  expect(await shown()).toMatchObject({ failingSince: null, disabledAt: null });
  const attempts = async () =>
    (await test.call('GET', `/v1/webhooks/${hook.id}/deliveries?limit=200`)).body.items.reduce(
      (sum: number, delivery: { attempts: number; error: string | null }) =>
        sum + (delivery.error === null ? 0 : delivery.attempts),
      0,
    );
  const began = new Date(test.clock.now).toISOString();
  await rotate(test, input);
  await expect.poll(async () => (await shown()).failingSince, { timeout: 5000 }).toBe(began);
  test.clock.now += switchOffMs;
  await expect.poll(attempts, { timeout: 5000 }).toBe(2);
  for (let i = 2; i < switchOffFailures - 1; i++) await rotate(test, input);
  await expect.poll(attempts, { timeout: 5000 }).toBe(switchOffFailures - 1);
  expect(await shown()).toMatchObject({ failingSince: began, disabledAt: null }); // long enough, not often enough
  await rotate(test, input);
  await expect.poll(() => good.got, { timeout: 5000 }).toEqual(['webhook.disabled']);
  expect(await shown()).toMatchObject({ failingSince: began, disabledAt: new Date(test.clock.now).toISOString() });
  const before = bad.got.length;
  await rotate(test, input); // told to nobody
  expect(await attempts()).toBe(switchOffFailures);
  const { items } = (await test.call('GET', `/v1/webhooks/${hook.id}/deliveries`)).body;
  expect((await test.call('POST', `/v1/webhook-deliveries/${items[0].id}/replay`)).body.error.code).toBe('CONFLICT');
  bad.state.status = 200;
  const enabled = await test.call('POST', `/v1/webhooks/${hook.id}/enable`);
  expect(enabled.body).toMatchObject({ id: hook.id, failingSince: null, disabledAt: null });
  await rotate(test, input);
  await expect.poll(() => bad.got.length, { timeout: 5000 }).toBeGreaterThan(before);
  expect(await shown()).toMatchObject({ failingSince: null, disabledAt: null });
});

it('an org has a hundred webhooks at most', async () => {
  await using test = await startTestControl();
  const body = { url: 'https://example.com/' };
  for (let i = 0; i < 100; i++) expect((await test.call('POST', '/v1/webhooks', { body })).status).toBe(201);
  const refused = await test.call('POST', '/v1/webhooks', { body });
  expect([refused.status, refused.body.error.code]).toEqual([403, 'QUOTA_EXCEEDED']);
  expect((await test.call('POST', '/v1/webhooks', { body, key: await newOrg(test) })).status).toBe(201);
});

describe('fair shares', () => {
  const hooks = (org: string, n: number, failing = false) =>
    Array.from({ length: n }, (_, i) => ({ webhookId: `${org}${i}`, orgId: org, failing }));
  const total = (shares: Map<string, number>, org: string) =>
    [...shares].filter(([id]) => id.startsWith(org)).reduce((sum, [, share]) => sum + share, 0);
  const running = (org: string, n: number) =>
    Array.from({ length: n }, (_, i) => ({ webhookId: `${org}${i % 40}`, orgId: org }));

  it('give an org that is alone half of the room, and several the same', () => {
    expect(total(fairShares(hooks('a', 100), []), 'a')).toBe(128);
    const three = fairShares([...hooks('a', 100), ...hooks('b', 100), ...hooks('c', 2)], []);
    expect([total(three, 'a'), total(three, 'b'), total(three, 'c')]).toEqual([80, 80, 16]);
  });

  it('give a newcomer its part though another has all it may have', () => {
    const shares = fairShares([...hooks('a', 100), ...hooks('b', 100)], running('a', 128));
    expect([total(shares, 'a'), total(shares, 'b')]).toEqual([0, 64]);
  });

  it('give one webhook eight, and one that fails one', () => {
    expect(total(fairShares(hooks('a', 1), []), 'a')).toBe(8);
    expect(total(fairShares(hooks('a', 3, true), []), 'a')).toBe(3);
    expect(total(fairShares(hooks('a', 1, true), [{ webhookId: 'a0', orgId: 'a' }]), 'a')).toBe(0);
  });
});

import { createHmac } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { jitter, retryDelaysMs } from '../../src/control/webhooks/dispatcher.ts';
import { isPrivateAddress } from '../../src/control/webhooks/private-address.ts';
import { post, requireWebhookUrl } from '../../src/control/webhooks/send.ts';
import { serviceToken, startTestControl, type TestControl } from './helpers.ts';

type Received = { headers: Record<string, string>; body: string };

/** An endpoint that answers with `status` and keeps what it got. */
async function endpoint() {
  const received: Received[] = [];
  const state = { status: 200 };
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    received.push({ headers: request.headers as Record<string, string>, body });
    response.writeHead(state.status, { location: 'http://127.0.0.1:1/' }).end('x');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    received,
    state,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

/** A name server of our own (RFC 1035): `answer` gives the IPv4 address of a name, undefined for one that is not there, or `silent`. */
async function nameServer(answer: (name: string) => string | undefined) {
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => {
    const labels: string[] = [];
    let at = 12;
    for (; query[at] !== 0; at += query[at]! + 1) labels.push(query.toString('latin1', at + 1, at + 1 + query[at]!));
    const isA = query.readUInt16BE(at + 1) === 1;
    const found = answer(labels.join('.'));
    if (found === 'silent') return;
    const reply = Buffer.from(query.subarray(0, at + 5));
    reply.writeUInt16BE(found === undefined ? 0x8183 : 0x8180, 2);
    reply.writeUInt16BE(found !== undefined && isA ? 1 : 0, 6);
    reply.writeUInt32BE(0, 8);
    const record = Buffer.from([
      0xc0,
      12,
      0,
      1,
      0,
      1,
      0,
      0,
      0,
      0,
      0,
      4,
      ...(found ?? '0.0.0.0').split('.').map(Number),
    ]);
    socket.send(found !== undefined && isA ? Buffer.concat([reply, record]) : reply, port, address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const resolver = new Resolver({ timeout: 1000, tries: 1 });
  resolver.setServers([`127.0.0.1:${socket.address().port}`]);
  return { resolver, [Symbol.asyncDispose]: () => new Promise<void>((resolve) => socket.close(() => resolve())) };
}

async function setUp(events?: string[]) {
  const hook = await endpoint();
  const test = await startTestControl({ allowPrivateWebhooks: true });
  const { body: webhook } = await test.call('POST', '/v1/webhooks', {
    body: { url: hook.url, ...(events && { events }) },
  });
  const { body: input } = await test.call('POST', '/v1/live-inputs', { body: { name: 'show' } });
  return {
    hook,
    test,
    webhook,
    input,
    async [Symbol.asyncDispose]() {
      await test[Symbol.asyncDispose]();
      await hook[Symbol.asyncDispose]();
    },
  };
}

const beat = (test: TestControl, live: string[], errored: object[] = []) =>
  test.call('POST', '/internal/engine/heartbeat', { key: serviceToken, body: { engineId: 'one', live, errored } });
const log = async (test: TestControl, webhookId: string) =>
  (await test.call('GET', `/v1/webhooks/${webhookId}/deliveries`)).body.items;
const types = (received: Received[]) => received.map(({ body }) => JSON.parse(body).type);

it('tells of what happens to an input, once each, signed', async () => {
  await using at = await setUp();
  const { hook, test, input } = at;
  const expectTypes = (expected: string[]) =>
    expect.poll(() => types(hook.received), { timeout: 5000 }).toEqual(expected);
  await beat(test, [input.id]);
  await beat(test, [input.id]);
  await expectTypes(['input.live']);
  await beat(test, []);
  await expectTypes(['input.live', 'input.idle']);
  await beat(test, [input.id]);
  await expectTypes(['input.live', 'input.idle', 'input.live']);
  await beat(test, [], [{ inputId: input.id, reason: 'no keyframes' }]);
  await expectTypes(['input.live', 'input.idle', 'input.live', 'input.errored']);
  await test.call('POST', `/v1/live-inputs/${input.id}/rotate-stream-key`);
  await expectTypes(['input.live', 'input.idle', 'input.live', 'input.errored', 'key.rotated']);

  const { headers, body } = hook.received[3]!;
  expect(JSON.parse(body)).toEqual({
    id: expect.stringMatching(/^evt_/),
    type: 'input.errored',
    createdAt: new Date(test.clock.now).toISOString(),
    orgId: 'org_local',
    data: { inputId: input.id, name: 'show', externalInputId: null, reason: 'no keyframes' },
  });
  const [, t, v1] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(headers['streams-signature']!)!;
  expect(v1).toBe(createHmac('sha256', at.webhook.secret_cleartext).update(`${t}.${body}`).digest('hex'));
  expect(Number(t)).toBe(Math.floor(test.clock.now / 1000));
  expect(hook.received.map((one) => one.body).join()).not.toContain('sk_live_');
});

it('notices an engine that went silent, once, though many ask', async () => {
  await using at = await setUp(['input.idle']);
  await beat(at.test, [at.input.id]);
  at.test.clock.now += 7000;
  await Promise.all(Array.from({ length: 5 }, () => at.test.call('GET', '/v1/live-inputs')));
  await expect.poll(() => types(at.hook.received), { timeout: 5000 }).toEqual(['input.idle']);
  expect(await log(at.test, at.webhook.id)).toHaveLength(1);
});

it('tries again with growing waits, gives up in the end, and replays on demand', { timeout: 60_000 }, async () => {
  await using at = await setUp(['input.live']);
  const { hook, test, webhook } = at;
  hook.state.status = 302; // redirects are not followed: a failure like any other
  await beat(test, [at.input.id]);
  for (const [i, wait] of [...retryDelaysMs, 0].entries()) {
    await expect.poll(() => hook.received.length, { timeout: 5000 }).toBe(i + 1);
    const failed = i === retryDelaysMs.length;
    const outcome = async () => {
      const { nextAttemptAt, ...rest } = (await log(test, webhook.id))[0];
      const after = nextAttemptAt === null ? 0 : Date.parse(nextAttemptAt) - test.clock.now;
      return { ...rest, waits: after >= wait && after <= wait * (1 + jitter), last: nextAttemptAt === null };
    };
    await expect.poll(outcome, { timeout: 5000 }).toMatchObject({
      status: failed ? 'failed' : 'pending',
      attempts: i + 1,
      responseStatus: 302,
      error: 'the endpoint answered 302',
      waits: true,
      last: failed,
    });
    test.clock.now += wait * (1 + jitter);
  }
  hook.state.status = 204;
  const [failed] = await log(test, webhook.id);
  const replay = (await test.call('POST', `/v1/webhook-deliveries/${failed.id}/replay`)).body;
  expect(replay).toMatchObject({ eventId: failed.eventId, attempts: 0 });
  await expect.poll(() => hook.received.length, { timeout: 5000 }).toBe(retryDelaysMs.length + 2);
  await expect
    .poll(async () => (await log(test, webhook.id)).map(({ status }: { status: string }) => status).toSorted())
    .toEqual(['delivered', 'failed']);
  expect(hook.received.at(-1)!.body).toBe(hook.received[0]!.body);
});

it('lets an endpoint that never answers hold up nobody else', async () => {
  await using at = await setUp(['input.live']);
  const { hook, test } = at;
  const held: ServerResponse[] = [];
  const silent = createServer((_, response) => void held.push(response));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  try {
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/`;
    for (let i = 0; i < 5; i++) await test.call('POST', '/v1/webhooks', { body: { url, events: ['key.rotated'] } });
    for (let i = 0; i < 20; i++) await test.call('POST', `/v1/live-inputs/${at.input.id}/rotate-stream-key`);
    await expect.poll(() => held.length, { timeout: 5000 }).toBe(40);
    await beat(test, [at.input.id]);
    await expect.poll(() => types(hook.received), { timeout: 5000 }).toEqual(['input.live']);
    expect(held).toHaveLength(40);
  } finally {
    for (const response of held) response.end();
    await new Promise((resolve) => silent.close(resolve));
    silent.closeAllConnections();
  }
});

it('sends nothing more to a webhook that was deleted', async () => {
  await using at = await setUp(['input.live']);
  at.hook.state.status = 500;
  await beat(at.test, [at.input.id]);
  await expect.poll(() => at.hook.received.length, { timeout: 5000 }).toBe(1);
  await at.test.call('DELETE', `/v1/webhooks/${at.webhook.id}`);
  const { body: other } = await at.test.call('POST', '/v1/webhooks', { body: { url: at.hook.url } });
  at.test.clock.now += 60_000;
  await at.test.call('POST', `/v1/live-inputs/${at.input.id}/rotate-stream-key`);
  await expect.poll(() => types(at.hook.received), { timeout: 5000 }).toContain('key.rotated');
  expect(types(at.hook.received).filter((type) => type === 'input.live')).toHaveLength(1);
  expect((await at.test.call('GET', `/v1/webhooks/${at.webhook.id}/deliveries`)).status).toBe(404);
  expect(await log(at.test, other.id)).not.toEqual([]);
});

describe('targets', () => {
  it.each([
    ['http://127.0.0.1/'],
    ['http://localhost:8080/'],
    ['http://a.localhost/'],
    ['http://localhost./'],
    ['http://a.localhost../'],
    ['http://127.0.0.1./'],
    ['http://[64:ff9b::7f00:1]/'],
    ['http://[2002:7f00:1::]/'],
    ['http://[::1]/'],
    ['http://[::ffff:10.0.0.1]/'],
    ['http://169.254.169.254/latest/meta-data'],
    ['http://0x7f.1/'],
    ['http://2130706433/'],
    ['http://[fd00::1]/'],
    ['ftp://example.com/'],
    ['https://user:secret@example.com/'],
    ['file:///etc/passwd'],
    ['nonsense'],
  ])('%s is refused', async (url) => {
    await using test = await startTestControl();
    const answer = await test.call('POST', '/v1/webhooks', { body: { url } });
    expect([answer.status, answer.body.error.code]).toEqual([400, 'INVALID_ARGUMENT']);
    expect(answer.body.error.message).not.toContain('secret');
  });

  it.each(['127.0.0.1', '10.0.0.1', '169.254.169.254', undefined])(
    'that resolve to a private address, or to none, are refused on the connection itself: %s',
    async (address) => {
      await using hook = await endpoint();
      await using names = await nameServer((name) => (name === 'hook.example' ? address : undefined));
      const url = hook.url.replace('127.0.0.1', 'hook.example');
      const posting = { url, body: '{}', headers: {}, resolver: names.resolver };
      await expect(post({ ...posting, allowPrivate: false })).rejects.toThrow(
        address === undefined ? 'ENOTFOUND' : /private network address/,
      );
      expect(hook.received).toEqual([]);
      expect(await post({ ...posting, url: hook.url, allowPrivate: true })).toBe(200);
      expect(requireWebhookUrl('https://example.com/hook', false)).toBe('https://example.com/hook');
    },
  );

  it('whose name server is silent cost no more than the time of an attempt', async () => {
    await using names = await nameServer(() => 'silent');
    const posting = { url: 'http://hook.example/', body: '{}', headers: {}, resolver: names.resolver, withinMs: 300 };
    await expect(post({ ...posting, allowPrivate: false })).rejects.toMatchObject({ code: 'TIMEOUT' });
  });

  it.each([
    ['8.8.8.8', false],
    ['2606:4700::1111', false],
    ['10.1.2.3', true],
    ['172.31.255.255', true],
    ['172.32.0.1', false],
    ['100.64.0.1', true],
    ['224.0.0.1', true],
    ['255.255.255.255', true],
    ['::', true],
    ['::ffff:8.8.8.8', false],
    ['::ffff:192.168.0.1', true],
    ['64:ff9b::a00:1', true],
    ['fe80::1', true],
    ['fe80::1%eth0', true],
    ['fec0::1', true],
    ['2001:0:7f00:1::', true],
    ['2002:a00:1::', true],
    ['2001:db8::1', true],
    ['3fff::1', true],
    ['5f00::1', true],
    ['64:ff9b:1::1', true],
    ['100:0:0:1::1', true],
    ['2620:4f:8000::1', true],
    ['::a00:1', true],
    ['::ffff:0:10.0.0.1', true],
    ['::ffff:127.0.0.1', true],
    ['4000::1', true],
    ['192.88.99.1', true],
    ['192.31.196.1', true],
    ['192.52.193.1', true],
    ['192.175.48.1', true],
    ['240.0.0.1', true],
    ['2a00:1450::1', false],
    ['2003::1', false],
    ['ff02::1', true],
    ['not an address', true],
  ])('%s is private: %s', (address, expected) => {
    expect(isPrivateAddress(address)).toBe(expected);
  });
});

import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type PostgresServer, startPostgres } from '../control/postgres-server.ts';
import { type Stack, startStack } from './stack.ts';
import { until } from './until.ts';

let postgres: PostgresServer;
let folder: string;
let stacks: Stack[] = [];
let hook: Server;
/** Ids of events, in the order they came. */
const received: string[] = [];

beforeAll(async () => {
  postgres = await startPostgres();
  folder = await mkdtemp(join(tmpdir(), 'streams-postgres-'));
  hook = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    received.push(JSON.parse(body).id);
    response.end();
  });
  await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
  const env = {
    STREAMS_DATABASE_URL: await postgres.newDatabase(),
    STREAMS_MASTER_KEY: randomBytes(32).toString('hex'),
    STREAMS_ALLOW_PRIVATE_WEBHOOKS: '1',
    STREAMS_SERVICE_TOKEN: randomBytes(32).toString('hex'),
  };
  // Each has its own data directory and profiles, as on two machines; both start on an empty database.
  stacks = await Promise.all(['a', 'b'].map((name) => startStack(join(folder, name), ['--only', 'control'], env)));
});
afterAll(async () => {
  await Promise.all(stacks.map((stack) => stack.end('SIGTERM')));
  await new Promise((resolve) => hook?.close(resolve));
  await postgres?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** Asks one of the two, with the key that the first start printed: it is good at both. */
async function call(which: number, method: string, path: string, body?: unknown) {
  const key = stacks.find(({ ready }) => ready.apiKey !== undefined)!.ready.apiKey;
  const response = await fetch(stacks[which]!.ready.urls.http + path, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

it('two control processes on one Postgres are one control plane', { timeout: 60_000 }, async () => {
  const { body: input } = await call(0, 'POST', '/v1/live-inputs', { name: 'a' });
  expect((await call(1, 'GET', `/v1/live-inputs/${input.id}`)).body).toMatchObject({ id: input.id, name: 'a' });
  const minted = await Promise.all([0, 1].map((n) => call(n, 'POST', `/v1/live-inputs/${input.id}/playback-tokens`)));
  expect(new Set(minted.map(({ body }) => body.kid)).size).toBe(1);
  const { body: rotated } = await call(1, 'POST', `/v1/signing-keys/${minted[0]!.body.kid}/rotate`, {});
  expect((await call(0, 'POST', `/v1/live-inputs/${input.id}/playback-tokens`)).body.kid).toBe(rotated.id);
  const { body: apiKey } = await call(0, 'POST', '/v1/api-keys', { name: 'k' });
  const whoami = () =>
    fetch(`${stacks[1]!.ready.urls.http}/v1/whoami`, {
      headers: { authorization: `Bearer ${apiKey.api_key_cleartext}` },
    });
  expect((await whoami()).status).toBe(200);
  await call(0, 'POST', `/v1/api-keys/${apiKey.id}/revoke`);
  expect((await whoami()).status).toBe(401);
});

it('they send each webhook once, and all of them though one is killed', { timeout: 60_000 }, async () => {
  const { port } = hook.address() as AddressInfo;
  const { body: input } = await call(0, 'POST', '/v1/live-inputs', { name: 'b' });
  await call(0, 'POST', '/v1/webhooks', { url: `http://127.0.0.1:${port}/`, events: ['key.rotated'] });
  const rotate = async (which: number) =>
    expect((await call(which, 'POST', `/v1/live-inputs/${input.id}/rotate-stream-key`, {})).status).toBe(200);
  for (let i = 0; i < 10; i++) await rotate(i % 2);
  await until(() => received.length >= 10, 15_000);
  expect(new Set(received).size).toBe(10);
  expect(received).toHaveLength(10);

  const child = (await stacks[0]!.line({ type: 'child', process: 'control', event: 'ready' })).pid as number;
  for (let i = 0; i < 10; i++) await rotate(i % 2);
  process.kill(child, 'SIGKILL');
  for (let i = 0; i < 5; i++) await rotate(1);
  await until(() => new Set(received).size === 25, 30_000);
  // Back by itself, with what the other one did meanwhile.
  const ready = { type: 'child', process: 'control', event: 'ready' };
  await until(() => stacks[0]!.lines.filter((line) => line.event === ready.event).length > 1, 20_000);
  await rotate(0);
});

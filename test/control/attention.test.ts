import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { expect, it } from 'vitest';
import { Attention } from '../../src/control/attention.ts';
import { serviceToken, startTestControl, type TestControl, temporaryDir } from './helpers.ts';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));

const beat = (test: TestControl, engineId: string, live: string[]) =>
  test.call('POST', '/internal/engine/heartbeat', { key: serviceToken, body: { engineId, live } });
const create = async (test: TestControl) =>
  (await test.call('POST', '/v1/live-inputs', { body: { name: 'a', ingest: 'fmp4' } })).body.id as string;
const status = async (test: TestControl, id: string) => (await test.call('GET', `/v1/live-inputs/${id}`)).body.status;
/** Nothing else runs on this thread meanwhile. */
const stall = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

it('does not take its own stall for the silence of engines', { timeout: 30_000 }, async () => {
  await using test = await startTestControl();
  const [spoke, fell] = [await create(test), await create(test)];
  await beat(test, 'one', [spoke]);
  await beat(test, 'two', [fell]);
  stall(1600);
  test.clock.now += 8000;
  expect([await status(test, spoke), await status(test, fell)]).toEqual(['live', 'live']);
  const claim = { engineId: 'three', inputId: spoke };
  expect((await test.call('POST', '/internal/engine/claim', { key: serviceToken, body: claim })).status).toBe(409);
  await beat(test, 'one', [spoke]);
  test.clock.now += 5000;
  await beat(test, 'one', [spoke]);
  // The one that stays silent had its time.
  await expect.poll(() => status(test, fell), { timeout: 12_000, interval: 100 }).toBe('idle');
  expect(await status(test, spoke)).toBe('live');
});

it('still misses an engine that was heard after the stall and fell silent', async () => {
  await using test = await startTestControl();
  const id = await create(test);
  await beat(test, 'one', [id]);
  stall(1600);
  test.clock.now += 1600;
  await beat(test, 'one', [id]);
  test.clock.now += 6001;
  expect(await status(test, id)).toBe('idle');
});

it('means nothing by a silence while what was said waits for a store that hangs, and for a while after', async () => {
  const attention = new Attention(Date.now, 100);
  try {
    const deaf = () => attention.deafBefore() !== undefined;
    await expect.poll(deaf).toBe(false); // the start is over
    const store = new EventEmitter();
    const kept = ['first', 'second'].map((name) => attention.keep(() => once(store, name)));
    expect(deaf()).toBe(false);
    await expect.poll(deaf, { timeout: 5000 }).toBe(true);
    store.emit('first', 'kept');
    expect(await kept[0]).toEqual(['kept']);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(deaf()).toBe(true); // the other still waits, longer than it takes to be heard again
    store.emit('error', new Error('lost'));
    await expect(kept[1]).rejects.toThrow('lost');
    expect(deaf()).toBe(true);
    await expect.poll(deaf).toBe(false);
  } finally {
    attention.close();
  }
});

/** A control plane in a process of its own, and an endpoint that keeps what its webhook is told. */
async function startProcess(script: string) {
  const dir = await temporaryDir();
  const told: string[] = [];
  const hook = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    told.push(JSON.parse(body).type);
    response.end();
  });
  await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
  let child: ChildProcess | undefined;
  let base = '';
  let key: string | undefined;
  const start = async () => {
    const starting = spawn(process.execPath, [script, dir.path, serviceToken], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, STREAMS_ALLOW_PRIVATE_WEBHOOKS: '1' },
    });
    child = starting;
    const [line] = (await once(createInterface({ input: starting.stdout }), 'line')) as [string];
    const { port, apiKey } = JSON.parse(line) as { port: number; apiKey?: string };
    base = `http://127.0.0.1:${port}`;
    key ??= apiKey;
    return starting;
  };
  await start();
  const ask = async (method: string, path: string, body?: object, shown = key) => {
    const response = await fetch(base + path, {
      method,
      headers: { authorization: `Bearer ${shown}` },
      signal: AbortSignal.timeout(5000),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return (await response.json()) as { id: string; status: string };
  };
  const { port } = hook.address() as AddressInfo;
  await ask('POST', '/v1/webhooks', { url: `http://127.0.0.1:${port}/` });
  const { id } = await ask('POST', '/v1/live-inputs', { name: 'a' });
  const say = () => ask('POST', '/internal/engine/heartbeat', { engineId: 'one', live: [id] }, serviceToken);
  await say();
  await expect.poll(() => told, { timeout: 5000 }).toEqual(['input.live']);
  return {
    told,
    say,
    start,
    status: async () => (await ask('GET', `/v1/live-inputs/${id}`)).status,
    child: () => child!,
    async [Symbol.asyncDispose]() {
      child?.kill('SIGKILL');
      hook.closeAllConnections();
      await new Promise((resolve) => hook.close(resolve));
      await dir[Symbol.asyncDispose]();
    },
  };
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
/** Longer than an engine may be silent. */
const silenceMs = 6500;

async function stopped(script: string): Promise<void> {
  await using at = await startProcess(script);
  // As engines do: every 2 s, giving up after 5 s.
  const beating = setInterval(() => at.say().catch(() => {}), 2000);
  try {
    at.child().kill('SIGSTOP');
    await wait(silenceMs);
    at.child().kill('SIGCONT');
    expect(await at.status()).toBe('live');
    await wait(1500); // some sweeps
    expect([await at.status(), ...at.told]).toEqual(['live', 'input.live']);
  } finally {
    clearInterval(beating);
  }
}

async function killed(script: string): Promise<void> {
  await using at = await startProcess(script);
  const exited = once(at.child(), 'exit');
  at.child().kill('SIGKILL');
  await exited;
  await wait(silenceMs);
  await at.start();
  expect(await at.status()).toBe('live');
  await wait(1500);
  await at.say();
  expect([await at.status(), ...at.told]).toEqual(['live', 'input.live']);
}

it('tells no false end when its process is stopped, or killed and started again', { timeout: 60_000 }, async () => {
  // Node 20 does not run TypeScript: bundled beside node_modules, where its packages are found.
  const outDir = await mkdtemp(join(root, 'node_modules', '.streams-control-'));
  try {
    await build({
      configFile: false,
      logLevel: 'silent',
      root: here,
      build: { ssr: 'control-process.ts', outDir, emptyOutDir: false, target: 'node20' },
    });
    const script = join(outDir, 'control-process.js');
    await Promise.all([stopped(script), killed(script)]);
  } finally {
    await rm(outDir, { recursive: true, force: true });
  }
});

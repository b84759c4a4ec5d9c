import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { expect, it } from 'vitest';
import { startControl } from '../../src/control/control.ts';
import { silentLogger } from '../../src/core/log.ts';
import { serviceToken, startTestControl, temporaryDir } from './helpers.ts';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));

it('keeps issuer, keys, inputs and tokens over a restart', async () => {
  await using test = await startTestControl();
  const input = (await test.call('POST', '/v1/live-inputs', { body: { name: 'a' } })).body;
  const jwks = (await test.call('GET', '/.well-known/jwks.json', { key: null })).body;
  await test.control.close();
  await using again = await startControl({
    host: '127.0.0.1',
    port: 0,
    dataDir: test.dataDir,
    serviceToken,
    logger: silentLogger,
  });
  expect(again.issuer).toBe(test.control.issuer);
  expect(await again.bootstrap()).toEqual({});
  const call = async (method: string, path: string) =>
    (
      await again.fetch(
        new Request(`http://x${path}`, { method, headers: { authorization: `Bearer ${test.adminKey}` } }),
      )
    ).json();
  expect(await call('GET', `/v1/live-inputs/${input.id}`)).toMatchObject({ id: input.id, name: 'a' });
  expect(await call('GET', '/.well-known/jwks.json')).toEqual(jwks);
  // The private key, sealed by the first process, still signs.
  const minted = await call('POST', `/v1/live-inputs/${input.id}/playback-tokens`);
  expect(minted).toMatchObject({ kid: jwks.keys[0].kid });
});

it('loses nothing acknowledged to kill -9 in a write loop', async () => {
  await using dir = await temporaryDir();
  // Node 20 does not run TypeScript: bundle the loop beside node_modules, where its packages are found.
  const outDir = await mkdtemp(join(root, 'node_modules', '.streams-write-loop-'));
  let child: ChildProcessByStdio<null, Readable, null> | undefined;
  try {
    await build({
      configFile: false,
      logLevel: 'silent',
      root: here,
      build: { ssr: 'write-loop.ts', outDir, emptyOutDir: false, target: 'node20' },
    });
    const acknowledged = new Map<string, string>();
    let apiKey = '';
    child = spawn(process.execPath, [join(outDir, 'write-loop.js'), dir.path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    for await (const line of createInterface({ input: child.stdout })) {
      const said = JSON.parse(line) as { apiKey?: string; id: string; name: string };
      if (said.apiKey !== undefined) apiKey = said.apiKey;
      else acknowledged.set(said.id, said.name);
      if (acknowledged.size === 150) child.kill('SIGKILL'); // lines already in the pipe still count
    }
    expect((await exited)[1]).toBe('SIGKILL');
    expect(acknowledged.size).toBeGreaterThanOrEqual(150);

    await using control = await startControl({
      host: '127.0.0.1',
      port: 0,
      dataDir: dir.path,
      serviceToken,
      logger: silentLogger,
    });
    for (const [id, name] of acknowledged) {
      const response = await control.fetch(
        new Request(`http://x/v1/live-inputs/${id}`, { headers: { authorization: `Bearer ${apiKey}` } }),
      );
      expect(await response.json()).toMatchObject({ id, name });
    }
  } finally {
    child?.kill('SIGKILL');
    await rm(outDir, { recursive: true, force: true });
  }
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCommandLine } from '../../commands/main.ts';
import { memoryTerminal } from '../../commands/output/memory.ts';
import { until } from '../serve/until.ts';
import { commandLine } from './command-line.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'streams-relay-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('streams relay', () => {
  it('runs from a file until it is told to stop', async () => {
    const file = join(folder, 'relay.toml');
    await writeFile(
      file,
      '[server]\nlisten = "127.0.0.1:0"\n[internal]\nlisten = "127.0.0.1:0"\n[auth]\npublic = "anon"\n[stats]\nenabled = true\n',
    );
    const terminal = memoryTerminal({});
    const stop = new AbortController();
    const args = ['relay', file, '--data-dir', join(folder, 'data'), '--json'];
    const running = runCommandLine(args, { env: {}, terminal, signal: stop.signal });
    await until(() => terminal.stdout.includes('"ready"'));
    const ready = terminal.jsonLines().find((line) => line.type === 'ready') as {
      urls: { http: string; internal: string };
      certificateSha256: string;
    };
    expect((await (await fetch(`${ready.urls.http}/certificate.sha256`)).text()).trim()).toBe(ready.certificateSha256);
    expect((await fetch(`${ready.urls.http}/metrics`)).status).toBe(404);
    expect(await (await fetch(`${ready.urls.internal}/metrics`)).text()).toContain('streams_relay_sessions 0');
    expect(await (await fetch(`${ready.urls.internal}/health`)).text()).toBe('ok\n');
    expect(terminal.jsonLines()).toContainEqual(expect.objectContaining({ level: 'warn', key: 'stats.enabled' }));
    stop.abort();
    expect(await running).toBe(0);
    await expect(fetch(`${ready.urls.http}/health`)).rejects.toThrow();
  });

  it('refuses in words what it cannot do', async () => {
    const file = join(folder, 'relay.toml');
    await writeFile(file, '[auth]\npublic = ""\n[cluster]\nconnect_api = "https://a.example/"\n');
    expect(await commandLine(['relay', file])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('cluster.connect_api'),
    });
    await writeFile(file, '[auth]\npublick = ""\n');
    const typo = await commandLine(['relay', file]);
    expect(typo).toMatchObject({ code: 2, stderr: expect.stringMatching(/auth\.publick[\s\S]*auth\.public/) });
    expect(await commandLine(['relay', join(folder, 'none.toml')])).toMatchObject({ code: 2 });
    expect(await commandLine(['relay'])).toMatchObject({ code: 2, stderr: expect.stringContaining('--auth-public') });
  });
});

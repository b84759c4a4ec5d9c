import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** dist/test/bench → the package. */
export const packageRoot = fileURLToPath(new URL('../../../', import.meta.url));
export const binary = join(packageRoot, 'bin', 'streams.js');

export type Line = Record<string, unknown> & { type: string };

/** The product itself on free ports: the bench measures what a user runs. */
export type Stack = {
  urls: { http: string; relay: string; rtmp: string };
  apiKey: string;
  readyMs: number;
  pids: Record<'control' | 'relay' | 'engine', number>;
  env: NodeJS.ProcessEnv;
  post<T>(path: string, body: unknown): Promise<T>;
  stop(): Promise<void>;
};

export async function startStack(args: readonly string[] = []): Promise<Stack> {
  const folder = await mkdtemp(join(tmpdir(), 'streams-bench-'));
  const env = {
    ...process.env,
    STREAMS_CONFIG_DIR: join(folder, 'config'),
    STREAMS_SERVICE_TOKEN: randomBytes(32).toString('hex'),
  };
  const started = performance.now();
  const child: ChildProcess = spawn(
    process.execPath,
    [
      binary,
      'serve',
      '--json',
      '--data-dir',
      join(folder, 'data'),
      '--http-port',
      '0',
      '--relay-port',
      '0',
      '--rtmp-port',
      '0',
      '--srt-port',
      '0',
      ...args,
    ],
    { env, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const pids: Record<string, number> = {};
  const ready = await new Promise<Line>((resolve, reject) => {
    child.on('exit', (code) => reject(new Error(`serve ended with ${code}`)));
    createInterface({ input: child.stdout! }).on('line', (text) => {
      const line: Line = JSON.parse(text);
      if (line.type === 'child' && line.event === 'ready') pids[String(line.process)] = Number(line.pid);
      if (line.type === 'ready') resolve(line);
    });
  });
  const readyMs = performance.now() - started;
  const urls = ready.urls as Stack['urls'];
  const apiKey = String(ready.apiKey);
  return {
    urls,
    apiKey,
    readyMs,
    pids: pids as Stack['pids'],
    env,
    async post<T>(path: string, body: unknown) {
      const response = await fetch(`${urls.http}${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
      return (await response.json()) as T;
    },
    async stop() {
      if (child.exitCode === null) {
        child.kill('SIGTERM');
        await once(child, 'exit');
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export type BenchInput = { id: string; streamKey: string; url: string; watchUrl: string; rtmpUrl: string | undefined };

/** A live input, with renditions on request, and a playback token for it. */
export async function createInput(stack: Stack, ladder = 'none'): Promise<BenchInput> {
  type Created = { id: string; stream_key_cleartext: string; urls: { rtmp: string } | null };
  const input = await stack.post<Created>('/v1/live-inputs', { name: 'bench', ingest: 'rtmp', ladder });
  const playback = await stack.post<{ url: string; watchUrl: string }>(`/v1/live-inputs/${input.id}/playback-tokens`, {
    ttlSeconds: 3600,
  });
  return {
    id: input.id,
    streamKey: input.stream_key_cleartext,
    url: playback.url,
    watchUrl: playback.watchUrl,
    rtmpUrl: input.urls?.rtmp,
  };
}

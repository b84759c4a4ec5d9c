import { statfsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Control, type ControlOptions, startControl } from '../../src/control/control.ts';
import type { LogFields, Logger } from '../../src/core/log.ts';

export const serviceToken = 'service-token-of-the-tests';

/** A store syncs each commit to its disk, and tests make thousands of them: kept in memory where there is room. */
function quickestDir(): string {
  try {
    const { bavail, bsize } = statfsSync('/dev/shm');
    return bavail * bsize > 1 << 30 ? '/dev/shm' : tmpdir();
  } catch {
    return tmpdir();
  }
}

export async function temporaryDir(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(quickestDir(), 'streams-control-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** A logger that keeps every line, to look for what must not be in it. */
export function capturingLogger(): Logger & { lines: string[] } {
  const lines: string[] = [];
  const write = (level: string) => (message: string, fields?: LogFields) => {
    lines.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`);
  };
  return { lines, debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

// biome-ignore lint/suspicious/noExplicitAny: JSON whose shape is what the tests check
export type Answer = { status: number; headers: Headers; body: any };

export type TestControl = AsyncDisposable & {
  control: Control;
  adminKey: string;
  dataDir: string;
  base: string;
  log: ReturnType<typeof capturingLogger>;
  clock: { now: number };
  /** In-process request; `key` null sends none, default is the admin key. */
  call(
    method: string,
    path: string,
    options?: { body?: unknown; key?: string | null; address?: string; headers?: Record<string, string> },
  ): Promise<Answer>;
};

/** A bootstrapped control plane on a free port with a clock that only the test moves. */
export async function startTestControl(options: Partial<ControlOptions> = {}): Promise<TestControl> {
  const dir = await temporaryDir();
  const log = capturingLogger();
  const clock = { now: Date.now() };
  const control = await startControl({
    host: '127.0.0.1',
    port: 0,
    dataDir: dir.path,
    serviceToken,
    logger: log,
    now: () => clock.now,
    ...options,
  });
  const { apiKey } = await control.bootstrap();
  if (apiKey === undefined) throw new Error('no admin key was made');
  const base = `http://127.0.0.1:${control.port}`;
  return {
    control,
    adminKey: apiKey,
    dataDir: dir.path,
    base,
    log,
    clock,
    async call(method, path, { body, key = apiKey, address, headers: extra = {} } = {}) {
      const headers = new Headers(extra);
      if (key !== null) headers.set('authorization', `Bearer ${key}`);
      if (body !== undefined) headers.set('content-type', 'application/json');
      const response = await control.fetch(
        new Request(base + path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }),
        address,
      );
      const text = await response.text();
      const json = response.headers.get('content-type')?.startsWith('application/json') ?? false;
      return { status: response.status, headers: response.headers, body: json ? JSON.parse(text) : text };
    },
    async [Symbol.asyncDispose]() {
      await control.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}

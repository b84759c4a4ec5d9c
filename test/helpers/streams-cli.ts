import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const repoRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const binary = join(repoRoot, 'bin', 'streams.js');

export type Finished = { code: number | null; stdout: string; stderr: string };

/** Runs `streams` as a user's shell would and waits for its end. */
export function runStreams(
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; timeoutMs?: number } = {},
): Promise<Finished> {
  return finished(
    spawn(process.execPath, [binary, ...args], {
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
    options.timeoutMs,
  );
}

/** Collects a child's output until it ends; kills it (and fails) after `timeoutMs`. */
export function finished(child: ChildProcess, timeoutMs = 60_000): Promise<Finished> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (data) => {
    stdout += data;
  });
  child.stderr?.on('data', (data) => {
    stderr += data;
  });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`still running after ${timeoutMs} ms: ${child.spawnargs.slice(1, 4).join(' ')}\n${stderr}`));
    }, timeoutMs);
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, stdout, stderr });
    });
  });
}

export type Line = Record<string, unknown> & { type: string };

/** A running `streams serve --json` on free ports, with its own data and profile folders. */
export type Serve = {
  urls: { http: string; relay: string; rtmp: string; srt: string };
  apiKey: string;
  env: NodeJS.ProcessEnv;
  lines: Line[];
  /** The first line that matches, from those that came already on. */
  line(match: (line: Line) => boolean, timeoutMs?: number): Promise<Line>;
  /** Runs a command against this stack and parses what it answers on stdout. */
  json(...args: string[]): Promise<Line>;
  stop(): Promise<number | null>;
};

export async function startServe(args: readonly string[] = []): Promise<Serve> {
  if (!existsSync(join(repoRoot, 'dist', 'commands', 'main.js'))) throw new Error('dist/ is missing: npm run build');
  const folder = await mkdtemp(join(tmpdir(), 'streams-test-'));
  const env: NodeJS.ProcessEnv = { STREAMS_CONFIG_DIR: join(folder, 'config') };
  const ports = ['--http-port', '0', '--relay-port', '0', '--rtmp-port', '0', '--srt-port', '0'];
  const child = spawn(
    process.execPath,
    [binary, 'serve', '--json', '--data-dir', join(folder, 'data'), ...ports, ...args],
    {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const lines: Line[] = [];
  const waiters = new Set<() => void>();
  let stderr = '';
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  createInterface({ input: child.stdout }).on('line', (text) => {
    lines.push(JSON.parse(text));
    for (const wake of waiters) wake();
  });
  const exited = new Promise<number | null>((resolve) => child.on('close', resolve));
  void exited.then(() => {
    for (const wake of waiters) wake();
  });

  const line = (match: (line: Line) => boolean, timeoutMs = 20_000) =>
    new Promise<Line>((resolve, reject) => {
      const done = () => {
        clearTimeout(timer);
        waiters.delete(look);
      };
      const look = () => {
        const found = lines.find(match);
        if (found !== undefined) {
          done();
          resolve(found);
        } else if (child.exitCode !== null) {
          done();
          reject(new Error(`serve ended with ${child.exitCode}: ${stderr}`));
        }
      };
      const timer = setTimeout(() => {
        done();
        reject(new Error(`no such line within ${timeoutMs} ms; last: ${JSON.stringify(lines.slice(-5))} ${stderr}`));
      }, timeoutMs);
      waiters.add(look);
      look();
    });

  const stop = async () => {
    if (child.exitCode === null) child.kill('SIGTERM');
    const kill = setTimeout(() => child.kill('SIGKILL'), 15_000);
    const code = await exited;
    clearTimeout(kill);
    await rm(folder, { recursive: true, force: true });
    return code;
  };

  try {
    const ready = await line((candidate) => candidate.type === 'ready');
    return {
      urls: ready.urls as Serve['urls'],
      apiKey: String(ready.apiKey),
      env,
      lines,
      line,
      stop,
      async json(...command) {
        const result = await runStreams([...command, '--json'], { env });
        if (result.code !== 0)
          throw new Error(`streams ${command[0]} ${command[1] ?? ''}: exit ${result.code}\n${result.stderr}`);
        return JSON.parse(result.stdout);
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

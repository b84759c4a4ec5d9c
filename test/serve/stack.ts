import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { finished, type Line, repoRoot } from '../helpers/streams-cli.ts';
import { until } from './until.ts';

export const binary = join(repoRoot, 'bin', 'streams.js');

export type Stack = {
  child: ChildProcess;
  lines: Line[];
  /** The first line that matches and is not among the first `from`. */
  line(match: Partial<Line>, from?: number): Promise<Line>;
  ready: Line & { urls: { http: string; relay: string; rtmp: string; srt: string }; apiKey?: string };
  /** Sends the signal and answers how the program ended. */
  end(signal: NodeJS.Signals): Promise<{ code: number | null; stderr: string }>;
};

/** `streams serve --json` on free ports below `folder`, so that a second start finds what the first left. */
export async function startStack(
  folder: string,
  args: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<Stack> {
  const child = spawn(process.execPath, [binary, ...serveArgs(folder), '--json', ...args], {
    env: { ...stackEnv(folder), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: Line[] = [];
  createInterface({ input: child.stdout }).on('line', (text) => lines.push(JSON.parse(text)));
  const ended = finished(child, 120_000);
  ended.catch(() => {});
  const find = (match: Partial<Line>, from = 0) =>
    lines.slice(from).find((line) => Object.entries(match).every(([key, value]) => line[key] === value));
  const line = async (match: Partial<Line>, from = 0) => {
    await until(() => find(match, from) !== undefined || child.exitCode !== null, 20_000);
    const found = find(match, from);
    if (found === undefined) throw new Error(`no ${JSON.stringify(match)}: ${(await ended).stderr}`);
    return found;
  };
  return {
    child,
    lines,
    line,
    ready: (await line({ type: 'ready' })) as Stack['ready'],
    end(signal) {
      child.kill(signal);
      return ended;
    },
  };
}

export function serveArgs(folder: string): string[] {
  const ports = ['--http-port', '0', '--relay-port', '0', '--rtmp-port', '0', '--srt-port', '0'];
  return ['serve', '--data-dir', join(folder, 'data'), ...ports];
}

export function stackEnv(folder: string): NodeJS.ProcessEnv {
  return { ...process.env, STREAMS_CONFIG_DIR: join(folder, 'config'), NO_COLOR: '1' };
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

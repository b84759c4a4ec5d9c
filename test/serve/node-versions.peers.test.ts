import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { finished, repoRoot } from '../helpers/streams-cli.ts';

const run = promisify(execFile);
const binary = join(repoRoot, 'bin', 'streams.js');

/** The path of Node `major`, which the npm package `node` brings: about 100 MB from the registry, kept in npm's cache. */
async function nodeOf(major: number): Promise<string> {
  const print = 'console.log(process.execPath)';
  const args = ['--yes', `--package=node@${major}`, '--', 'node', '-e', print];
  const { stdout } = await run('npx', args, { cwd: tmpdir(), timeout: 280_000 });
  return stdout.trim();
}

describe.each([22, 24])('Node %i', (major) => {
  it('runs serve, the commands and the sdk', { timeout: 400_000 }, async () => {
    const node = await nodeOf(major);
    expect((await run(node, ['--version'])).stdout).toMatch(new RegExp(`^v${major}\\.`));
    const folder = await mkdtemp(join(tmpdir(), 'streams-node-'));
    // `streams serve` starts its children with the Node that runs it.
    const env = {
      ...process.env,
      PATH: `${dirname(node)}:${process.env.PATH}`,
      STREAMS_CONFIG_DIR: join(folder, 'config'),
    };
    const ports = ['--http-port', '0', '--relay-port', '0', '--rtmp-port', '0', '--srt-port', '0'];
    const serve = spawn(node, [binary, 'serve', '--demo', '--json', '--data-dir', join(folder, 'data'), ...ports], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = finished(serve, 300_000);
    exited.catch(() => undefined);
    const streams = async (...args: string[]) => {
      const { stdout } = await run(node, [binary, ...args, '--json'], { env, timeout: 60_000 });
      return JSON.parse(stdout.trim().split('\n').at(-1)!) as Record<string, unknown>;
    };
    try {
      const url = await new Promise<string>((resolve, reject) => {
        exited.then(({ code, stdout }) => reject(new Error(`serve ended with ${code}: ${stdout}`)), reject);
        createInterface({ input: serve.stdout }).on('line', (text) => {
          const line = JSON.parse(text) as { type: string; url: string };
          if (line.type === 'demo') resolve(line.url);
        });
      });
      await expect
        .poll(() => streams('inputs', 'list'), { timeout: 30_000 })
        .toMatchObject({
          inputs: [{ name: 'demo', status: 'live' }],
        });
      expect(await streams('inputs', 'create', '--name', 'show')).toMatchObject({ type: 'input' });
      expect(await streams('doctor').catch((error) => JSON.parse(error.stdout))).toMatchObject({
        checks: expect.arrayContaining([expect.objectContaining({ name: 'quic', status: 'ok' })]),
      });
      const watched = await streams('watch', url, '--duration', '10s');
      expect(watched).toMatchObject({ type: 'summary', gaps: 0 });
      expect(watched.objects).toBeGreaterThan(60);
      const sdk = await run(node, [join(repoRoot, 'test/serve/sdk-in-node.mjs'), url], { env, timeout: 60_000 });
      const seen = JSON.parse(sdk.stdout) as { video: number; audio: number };
      expect(seen).toMatchObject({ node: expect.stringMatching(`^v${major}`), reason: 'closed_by_caller' });
      expect(Math.min(seen.video, seen.audio)).toBeGreaterThanOrEqual(30);
    } finally {
      serve.kill('SIGTERM');
      expect((await exited).code).toBe(0);
      await rm(folder, { recursive: true, force: true });
    }
  });
});

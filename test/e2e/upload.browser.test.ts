import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clip, h264AndAac, packetsOf } from '../engine/vod/media.ts';
import { launchChromium } from '../helpers/chromium.ts';
import { startEncoder } from '../helpers/ffmpeg.ts';
import { type Finished, finished, repoRoot, type Serve, startServe } from '../helpers/streams-cli.ts';

const page = readFileSync(join(repoRoot, 'docs', 'upload.md'), 'utf8');
let serve: Serve;
let folder: string;
let film: Buffer;
let environment: NodeJS.ProcessEnv;

beforeAll(async () => {
  serve = await startServe();
  folder = await mkdtemp(join(tmpdir(), 'streams-ci-'));
  film = await clip('ci.mp4', 6, h264AndAac);
  await writeFile(join(folder, 'film.mp4'), film);
  // As `npm ci` leaves it.
  const bin = join(folder, 'node_modules', '.bin');
  await mkdir(bin, { recursive: true });
  await symlink(join(repoRoot, 'bin', 'streams.js'), join(bin, 'streams'));
  environment = {
    PATH: `${bin}:${process.env.PATH}`,
    HOME: folder,
    STREAMS_CONFIG_DIR: join(folder, 'config'),
    STREAMS_API_URL: serve.urls.http,
    STREAMS_API_KEY: serve.apiKey,
  };
}, 60_000);
afterAll(async () => {
  await serve?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

const shell = (script: string, more: NodeJS.ProcessEnv = {}): Promise<Finished> =>
  finished(
    spawn('bash', ['-e', '-c', script], {
      cwd: folder,
      env: { ...environment, ...more },
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );

/** The `run` of every step of the workflow, with the id of the step. */
function steps(yaml: string): { id: string | undefined; script: string }[] {
  const [, list = ''] = yaml.split(/^ {4}steps:\n/m);
  return list.split(/^ {6}- /m).flatMap((step) => {
    const id = /^ *id: (\S+)$/m.exec(step)?.[1];
    const block = /run: \|\n((?: {10}.*\n?)+)/.exec(step)?.[1]?.replace(/^ {10}/gm, '');
    const script = block ?? /run: ([^|#\n]+)/.exec(step)?.[1]?.trim();
    return script === undefined ? [] : [{ id, script }];
  });
}

describe('the GitHub Actions example', () => {
  const yaml = /```yaml\n([\s\S]*?)```/.exec(page)![1]!;
  const [install, upload, link, ...others] = steps(yaml);
  const ci = () => ({
    CI: 'true',
    GITHUB_ACTIONS: 'true',
    GITHUB_REF_NAME: 'v1.2',
    GITHUB_OUTPUT: join(folder, 'output'),
    GITHUB_STEP_SUMMARY: join(folder, 'summary'),
  });

  it('uploads, waits, and leaves a link that plays in a browser', { timeout: 60_000 }, async () => {
    expect([install?.script, others]).toEqual(['npm ci', []]);
    const sent = await shell(upload!.script, ci());
    expect(sent).toMatchObject({ code: 0, stdout: '' });
    const [, name, value] = /^(\w+)=(as_\w{22})\n$/.exec(await readFile(join(folder, 'output'), 'utf8')) ?? [];
    const { asset } = (await serve.json('assets', 'get', value!)) as unknown as {
      asset: { name: string; status: string };
    };
    expect(asset).toMatchObject({ name: 'Film v1.2', status: 'ready' });
    const script = link!.script.replaceAll(`\${{ steps.${upload!.id}.outputs.${name} }}`, value!);
    expect(script).not.toContain('${{');
    expect(await shell(script, ci())).toMatchObject({ code: 0 });
    const url = (await readFile(join(folder, 'summary'), 'utf8')).trim();
    await using browser = await launchChromium();
    const watched = await browser.newPage();
    await watched.goto(url);
    await watched.waitForFunction(() => document.querySelector('video')!.currentTime > 1, null, { timeout: 20_000 });
    expect(await watched.locator('#badge').textContent()).toBe('On demand');
    // To any place of it, and to its end.
    await watched.evaluate(() => {
      document.querySelector('video')!.currentTime = 4.5;
    });
    await watched.waitForFunction(() => document.querySelector('video')!.ended, null, { timeout: 20_000 });
    expect(await watched.evaluate(() => Math.round(document.querySelector('video')!.duration))).toBe(6);
  });

  it('fails with an annotation when the file is no film', { timeout: 30_000 }, async () => {
    await writeFile(join(folder, 'film.mp4'), 'no film');
    try {
      const sent = await shell(upload!.script, ci());
      expect(sent.code).toBe(1);
      expect(sent.stderr).toMatch(
        /^::error title=streams%3A MALFORMED::asset as_\w+ is errored: it cannot be read as media/m,
      );
    } finally {
      await writeFile(join(folder, 'film.mp4'), film);
    }
  });
});

it('the commands of the page run as they stand', { timeout: 60_000 }, async () => {
  const commands = [...page.matchAll(/```sh\n([\s\S]*?)```/g)]
    .flatMap(([, block]) => block!.split('\n'))
    .map((line) => line.replace(/\s+#.*$/, '').trim())
    .filter((line) => line !== '');
  expect(commands.length).toBeGreaterThan(5);
  const { input } = (await serve.json('inputs', 'create', '--name', 'docs')) as unknown as { input: { id: string } };
  const { asset } = (await serve.json('assets', 'create', '--name', 'docs')) as unknown as { asset: { id: string } };
  for (const command of commands) {
    expect(command).toMatch(/^streams /);
    const result = await shell(command.replaceAll('<lv_…>', input.id).replaceAll('<as_…>', asset.id));
    expect([command, result.code, result.stderr]).toEqual([command, 0, expect.any(String)]);
  }
  const [first] = commands;
  expect((await shell(`${first} --json`)).stdout).toContain('"status":"ready"');
});

it('the engine is killed in the middle of an upload, and the upload is whole', { timeout: 60_000 }, async () => {
  await writeFile(join(folder, 'large.bin'), Buffer.alloc(192 << 20, 7));
  const child = spawn('streams', ['assets', 'upload', 'large.bin', '--json'], {
    cwd: folder,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = finished(child);
  const media = join(serve.env.STREAMS_CONFIG_DIR!, '..', 'data', 'media');
  const arrived = () =>
    readdirSync(media).some((id) => {
      const source = statSync(join(media, id, 'source'), { throwIfNoEntry: false });
      return source !== undefined && source.size > 16 << 20;
    });
  await expect.poll(arrived, { timeout: 10_000, interval: 1 }).toBe(true);
  process.kill(enginePid(), 'SIGKILL');
  const { code, stdout } = await ended;
  expect(code).toBe(0);
  expect(JSON.parse(stdout).asset).toMatchObject({ name: 'large.bin', bytes: 192 << 20 });
});

it('the engine is killed in the middle of a broadcast, and what was recorded plays', { timeout: 60_000 }, async () => {
  const made = (await serve.json('inputs', 'create', '--name', 'kept', '--record')) as unknown as {
    urls: { rtmp: string };
  };
  const encoder = startEncoder(made.urls.rtmp);
  type Asset = { id: string; name: string; status: string; durationMs?: number };
  const kept = async () => {
    const { assets } = (await serve.json('assets', 'list')) as unknown as { assets: Asset[] };
    return assets.find(({ name }) => name.startsWith('kept '));
  };
  await expect.poll(async () => (await kept())?.status, { timeout: 15_000 }).toBe('uploading');
  const { id } = (await kept())!;
  const file = join(serve.env.STREAMS_CONFIG_DIR!, '..', 'data', 'media', id, 'track-0.cmaf');
  await expect
    .poll(() => statSync(file, { throwIfNoEntry: false })?.size ?? 0, { timeout: 15_000 })
    .toBeGreaterThan(400_000);
  process.kill(enginePid(), 'SIGKILL');
  await encoder.stop();
  await expect.poll(async () => (await kept())?.status, { timeout: 20_000 }).toBe('ready');
  expect((await kept())!.durationMs).toBeGreaterThan(1500);
  const { hlsUrl } = (await serve.json('playback', 'mint', id)) as unknown as { hlsUrl: string };
  const frames = (await packetsOf(hlsUrl)).filter(({ codec_type }) => codec_type === 'video').length;
  expect(Math.abs(frames / 30 - (await kept())!.durationMs! / 1000)).toBeLessThan(0.5);
});

/** Of the engine that runs now. */
function enginePid(): number {
  const line = serve.lines.findLast(
    ({ type, process, event }) => `${type} ${process} ${event}` === 'child engine ready',
  );
  return Number(line!.pid);
}

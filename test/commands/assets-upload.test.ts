import { mkdtemp, open, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { clip, h264AndAac } from '../engine/vod/media.ts';
import { type Json, startVodStack, type VodStack } from '../engine/vod/stack.ts';
import { commandLine } from './command-line.ts';

let stack: VodStack;
let folder: string;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  stack = await startVodStack();
  folder = await mkdtemp(join(tmpdir(), 'streams-upload-'));
  env = {
    STREAMS_API_URL: stack.base,
    STREAMS_API_KEY: stack.control.adminKey,
    STREAMS_CONFIG_DIR: join(folder, 'config'),
  };
  await writeFile(join(folder, 'film.mp4'), await clip('film.mp4', 3, h264AndAac));
});
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});
const film = () => join(folder, 'film.mp4');

it('uploads a file and waits until it is ready', async () => {
  const { code, lines, stderr } = await commandLine(
    ['assets', 'upload', film(), '--name', 'Film', '--wait', '--json'],
    { env },
  );
  expect([code, stderr]).toEqual([0, '']);
  const [{ asset }] = lines() as [Json];
  expect(asset).toMatchObject({ name: 'Film', status: 'ready', percent: 100 });
  const minted = await commandLine(['playback', 'mint', asset.id, '--field', 'hlsUrl'], { env });
  expect(await (await fetch(minted.stdout.trim())).text()).toContain('#EXT-X-STREAM-INF');
  // Another run is another upload: the one before was finished.
  const again = await commandLine(['assets', 'upload', film(), '--json'], { env });
  expect((again.lines() as [Json])[0].asset.id).not.toBe(asset.id);
});

it('fills an asset that was made before', async () => {
  const made = await commandLine(['assets', 'create', '--name', 'later', '--field', 'asset.id'], { env });
  const id = made.stdout.trim();
  const filled = await commandLine(['assets', 'upload', film(), '--asset', id, '--wait', '--json'], { env });
  expect((filled.lines() as [Json])[0].asset).toMatchObject({ id, name: 'later', status: 'ready' });
  expect((await commandLine(['assets', 'upload', film(), '--asset', id], { env })).code).toBe(5);
});

it('shows a bar on a terminal, and lines elsewhere', async () => {
  const onTerminal = await commandLine(['assets', 'upload', film(), '--wait'], { env, tty: true });
  expect(onTerminal.stderr).toMatch(/\rUploading {2}\[#{24}\] 100 % {2}0\.\d MB of 0\.\d MB/);
  expect(onTerminal.stdout).toContain('ready');
  const inPipe = await commandLine(['assets', 'upload', film(), '--wait'], { env });
  expect(inPipe.stderr).toMatch(/^Uploading.* 100 %.*$/m);
  expect(inPipe.stderr).not.toContain('\r');
});

it('goes on where Ctrl-C has cut it', async () => {
  const large = join(folder, 'large.bin');
  const bytes = 128 << 20;
  const handle = await open(large, 'w');
  await handle.truncate(bytes);
  await handle.close();
  const known = new Set(await assetIds());
  const stop = new AbortController();
  const first = commandLine(['assets', 'upload', large], { env, signal: stop.signal });
  let id: string | undefined;
  await expect
    .poll(
      async () => {
        id ??= (await assetIds()).find((found) => !known.has(found));
        return id === undefined ? 0 : (await stat(join(stack.mediaDir, id, 'source')).catch(() => ({ size: 0 }))).size;
      },
      { interval: 1, timeout: 10_000 },
    )
    .toBeGreaterThan(0);
  stop.abort();
  const cut = await first;
  expect(cut.code).toBe(130);
  expect(cut.stderr).toMatch(/Stopped at \d+ %\. The same command again goes on from there\./);
  const there = (await stat(join(stack.mediaDir, id!, 'source'))).size;
  expect(there).toBeLessThan(bytes);
  const second = await commandLine(['assets', 'upload', large, '--json'], { env });
  expect((second.lines() as [Json])[0].asset.id).toBe(id);
  expect(await stack.settled(id!)).toMatchObject({ status: 'errored', bytes });
}, 30_000);

it('says why a file cannot be packaged, with exit code 1 and an annotation', async () => {
  const file = join(folder, 'notes.txt');
  await writeFile(file, 'not a film');
  const { code, stderr } = await commandLine(['assets', 'upload', file, '--wait'], {
    env: { ...env, GITHUB_ACTIONS: 'true' },
  });
  expect(code).toBe(1);
  expect(stderr).toMatch(/✖ asset as_\w+ is errored: it cannot be read as media/);
  expect(stderr).toMatch(/^::error title=streams%3A MALFORMED::asset as_/m);
});

it('takes what is piped in, and refuses what cannot be read', async () => {
  const piped = await commandLine(['assets', 'upload', '-', '--name', 'piped', '--json'], {
    env,
    stdin: 'x'.repeat(100_000),
  });
  expect((piped.lines() as [Json])[0].asset).toMatchObject({ name: 'piped', bytes: 100_000 });
  expect((await commandLine(['assets', 'upload', join(folder, 'nothing.mp4')], { env })).code).toBe(2);
  const wrongKey = { ...env, STREAMS_API_KEY: 'ak_live_wrong' };
  expect((await commandLine(['assets', 'upload', film()], { env: wrongKey })).code).toBe(3);
  const nobody = { ...env, STREAMS_API_URL: 'http://127.0.0.1:1' };
  // Given up after half a minute of trying; who waits may stop before.
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 200);
  expect((await commandLine(['assets', 'upload', film()], { env: nobody, signal: stop.signal })).code).toBe(130);
});

async function assetIds(): Promise<string[]> {
  return (await stack.control.call('GET', '/v1/assets')).body.items.map(({ id }: { id: string }) => id);
}

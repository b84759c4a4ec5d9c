import { once } from 'node:events';
import { readdir, readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseMediaPlaylist } from '../../../src/codec/hls/parse-playlist.ts';
import { mediaPlaylistProblems } from '../../../src/codec/hls/validate-playlist.ts';
import { startEncoder } from '../../helpers/ffmpeg.ts';
import { until } from '../harness.ts';
import { packetsOf } from './media.ts';
import { type Json, startVodStack, type VodStack } from './stack.ts';

async function recordedInput(stack: VodStack, record = true): Promise<{ id: string; url: string; token: string }> {
  const { body } = await stack.control.call('POST', '/v1/live-inputs', { body: { name: 'show', record } });
  const { token } = (await stack.control.call('POST', `/v1/live-inputs/${body.id}/playback-tokens`)).body;
  const url = `rtmp://127.0.0.1:${stack.engine.rtmpPort}/live/${body.id}?sk=${body.stream_key_cleartext}`;
  return { id: body.id, url, token };
}

const assets = async (stack: VodStack): Promise<Json[]> => (await stack.control.call('GET', '/v1/assets')).body.items;
const sizeOf = async (stack: VodStack, id: string) =>
  (await readFile(join(stack.mediaDir, id, 'track-0.cmaf')).catch(() => Buffer.alloc(0))).length;

it.concurrent('keeps a broadcast byte for byte, over a reconnect, as one asset', async () => {
  await using stack = await startVodStack({ graceMs: 4000 });
  const input = await recordedInput(stack);
  let encoder = startEncoder(input.url);
  await until(() => stack.engine.stats().live.some(({ units }) => units > 100), 'live', 15_000);
  const [asset] = await assets(stack);
  expect(asset).toMatchObject({ status: 'uploading', inputId: input.id });
  expect(asset.name).toMatch(/^show 20\d\d-\d\d-\d\d /);
  // What viewers get meanwhile.
  const hls = `${stack.base}/hls/${input.id}`;
  const text = async (path: string) => (await fetch(`${hls}/${path}?tok=${input.token}`)).text();
  await text('index.m3u8');
  await until(() => stack.engine.stats().live.some(({ units }) => units > 250), 'more', 15_000);
  const names = [...(await text('video/360p/index.m3u8')).matchAll(/^segment-\d+\.m4s/gm)].map(([name]) => name);
  expect(names.length).toBeGreaterThan(0);
  const live = Buffer.from(await (await fetch(`${hls}/video/360p/${names[0]}?tok=${input.token}`)).arrayBuffer());
  await encoder.stop();
  encoder = startEncoder(input.url);
  const before = stack.engine.stats().live[0]!.units;
  await until(() => stack.engine.stats().live.some(({ units }) => units > before + 150), 'live again', 15_000);
  const ended = once(encoder.process, 'close');
  encoder.process.kill('SIGTERM');
  await ended;
  const kept = await stack.settled(asset.id);
  expect(kept).toMatchObject({ status: 'ready' });
  expect(await assets(stack)).toHaveLength(1);
  const file = await readFile(join(stack.mediaDir, asset.id, 'track-0.cmaf'));
  // Live segments begin at a keyframe's fragment; the init before it is in the file only once.
  expect(file.includes(live)).toBe(true);
  const url = `${stack.base}/hls/${asset.id}/index.m3u8?tok=${await stack.token(asset.id)}`;
  const playlist = await (await fetch(url.replace('index.m3u8', 'video/360p/index.m3u8'))).text();
  expect(playlist.match(/#EXT-X-DISCONTINUITY\n/g)).toHaveLength(1);
  expect(mediaPlaylistProblems(parseMediaPlaylist(playlist))).toEqual([]);
  const frames = (await packetsOf(url)).filter(({ codec_type }) => codec_type === 'video').length;
  expect(Math.abs(frames / 30 - kept.durationMs / 1000)).toBeLessThan(0.5);
  expect(frames).toBeGreaterThan(150);
}, 60_000);

it.concurrent('keeps what a killed engine had written, without its torn end', async () => {
  await using stack = await startVodStack();
  const input = await recordedInput(stack);
  const encoder = startEncoder(input.url);
  await until(() => stack.engine.stats().live.some(({ units }) => units > 200), 'live', 15_000);
  const [asset] = await assets(stack);
  // As it stands on the disk at this moment, is what a kill leaves.
  const there = await copyOf(stack, asset.id);
  await encoder.stop();
  await stack.engine.close();
  await there.putBack();
  await truncate(join(stack.mediaDir, asset.id, 'track-0.cmaf'), there.bytes - 100);
  expect(await sizeOf(stack, asset.id)).toBe(there.bytes - 100);
  await stack.restart();
  const kept = await stack.settled(asset.id);
  expect(kept).toMatchObject({ status: 'ready' });
  const url = `${stack.base}/hls/${asset.id}/index.m3u8?tok=${await stack.token(asset.id)}`;
  const frames = (await packetsOf(url)).filter(({ codec_type }) => codec_type === 'video').length;
  expect(frames).toBeGreaterThan(60);
  expect(Math.abs(frames / 30 - kept.durationMs / 1000)).toBeLessThan(0.5);
}, 60_000);

it.concurrent('begins and ends in the middle of a broadcast, when the input is changed', async ({ expect }) => {
  await using stack = await startVodStack();
  const input = await recordedInput(stack, false);
  const encoder = startEncoder(input.url);
  await until(() => stack.engine.stats().live.some(({ units }) => units > 30), 'live', 15_000);
  expect(await assets(stack)).toEqual([]);
  const record = (on: boolean) => stack.control.call('PATCH', `/v1/live-inputs/${input.id}`, { body: { record: on } });
  await record(true);
  await expect.poll(async () => (await assets(stack)).length, { timeout: 10_000 }).toBe(1);
  const [asset] = await assets(stack);
  await expect.poll(() => sizeOf(stack, asset.id), { timeout: 10_000 }).toBeGreaterThan(100_000);
  await record(false);
  expect(await stack.settled(asset.id)).toMatchObject({ status: 'ready' });
  expect(stack.engine.stats().live).toHaveLength(1);
  await encoder.stop();
}, 60_000);

/** The files of an asset now, to be put back later. */
async function copyOf(stack: VodStack, id: string) {
  const { cp, rm } = await import('node:fs/promises');
  const folder = join(stack.mediaDir, id);
  const copy = join(stack.mediaDir, '..', `copy-${id}`);
  await cp(folder, copy, { recursive: true });
  expect(await readdir(copy)).not.toContain('index.json');
  return {
    bytes: (await readFile(join(copy, 'track-0.cmaf'))).length,
    async putBack() {
      await rm(folder, { recursive: true });
      await cp(copy, folder, { recursive: true });
    },
  };
}

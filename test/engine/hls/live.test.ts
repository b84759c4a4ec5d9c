import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseMediaPlaylist, parseMultivariantPlaylist } from '../../../src/codec/hls/parse-playlist.ts';
import type { MediaPlaylist } from '../../../src/codec/hls/playlist.ts';
import { mediaPlaylistProblems, merge, updateProblems } from '../../../src/codec/hls/validate-playlist.ts';
import { bytesEqual, concat } from '../../../src/core/bytes.ts';
import { run, until } from '../harness.ts';
import { type HlsStack, startHlsStack } from './stack.ts';

/** `STREAMS_HLS_SECONDS=60 npx vitest run test/engine/hls` looks longer. */
const followSeconds = Number(process.env.STREAMS_HLS_SECONDS ?? 15);

let stack: HlsStack;
beforeAll(async () => {
  stack = await startHlsStack();
  await until(() => (stack.engine.stats().live[0]?.units ?? 0) > 75, 'a second of media is in');
});
afterAll(() => stack?.[Symbol.asyncDispose]());

const url = (playlist: string, uri: string) => new URL(uri, new URL(playlist, stack.base)).href;
async function bytes(href: string): Promise<Uint8Array> {
  const response = await fetch(href);
  expect(response.status, href.replace(/\?.*/, '')).toBe(200);
  return new Uint8Array(await response.arrayBuffer());
}

/** Follows a rendition as a low-latency player does, for `seconds` of media, and answers what was wrong. */
async function follow(path: string, seconds: number): Promise<{ problems: string[]; reloads: number; deltas: number }> {
  const first = await stack.get(path);
  expect(first.status).toBe(200);
  let playlist = parseMediaPlaylist(await first.text());
  const problems = mediaPlaylistProblems(playlist);
  const parts = new Map<string, Uint8Array>();
  const query = new URL(url(path, playlist.segments[0]!.uri)).search;
  let deltas = 0;
  let reloads = 0;
  const began = playlist.tail?.programDateTime ?? playlist.segments.at(-1)!.programDateTime!;
  while (true) {
    const now = playlist.tail?.programDateTime ?? playlist.segments.at(-1)!.programDateTime!;
    if (now - began >= seconds * 1000) break;
    const msn = playlist.mediaSequence + playlist.segments.length;
    const part = playlist.tail?.parts.length ?? 0;
    // The hinted part is asked for together with the playlist that will list it.
    const hint = playlist.preloadHint!;
    const [response, hinted] = await Promise.all([
      fetch(`${url(path, 'index.m3u8')}${query}&_HLS_msn=${msn}&_HLS_part=${part}&_HLS_skip=YES`),
      bytes(url(path, hint)),
    ]);
    expect(response.status).toBe(200);
    parts.set(hint, hinted);
    const answer = parseMediaPlaylist(await response.text());
    if (answer.skippedSegments > 0) deltas++;
    reloads++;
    problems.push(...mediaPlaylistProblems(answer));
    const next = merge(playlist, answer);
    expect(next, 'the delta update fits').toBeDefined();
    problems.push(...updateProblems(playlist, next!));
    for (const segment of next!.segments.slice(-1)) await compare(path, segment, parts, problems);
    playlist = next!;
  }
  return { problems, reloads, deltas };
}

async function compare(
  path: string,
  { uri, parts }: MediaPlaylist['segments'][number],
  known: Map<string, Uint8Array>,
  problems: string[],
): Promise<void> {
  const all = parts.map((part) => known.get(part.uri));
  if (parts.length === 0 || all.includes(undefined)) return;
  if (!bytesEqual(concat(all as Uint8Array[]), await bytes(url(path, uri)))) problems.push(`${uri} is not its parts`);
  for (const part of parts) known.delete(part.uri);
}

describe('LL-HLS of a live broadcast', () => {
  it('keeps every rule of rfc8216bis for as long as it is followed, on both renditions at once', {
    timeout: 45_000 + followSeconds * 1000,
  }, async () => {
    const seconds = followSeconds;
    const multivariant = parseMultivariantPlaylist(await (await stack.get('index.m3u8')).text());
    expect(multivariant).toMatchObject({
      audio: [{ group: 'audio', isDefault: true, channels: 2 }],
      variants: [{ codecs: 'avc1.64001e,mp4a.40.2', resolution: { width: 640, height: 360 }, frameRate: 25 }],
    });
    expect(multivariant.variants[0]!.bandwidth).toBeGreaterThan(100_000);
    const paths = [multivariant.variants[0]!.uri, multivariant.audio[0]!.uri].map((uri) => uri.replace(/\?.*/, ''));
    const followed = await Promise.all(paths.map((path) => follow(path, seconds)));
    for (const { problems, reloads, deltas } of followed) {
      expect(problems).toEqual([]);
      expect(reloads).toBeGreaterThan(seconds * 4);
      // After twelve seconds there is something to leave out.
      if (seconds > 14) expect(deltas).toBeGreaterThan(0);
    }
  });

  it('is read by ffprobe, as a plain player does it', { timeout: 30_000 }, async () => {
    const probe = await run('ffprobe', [
      ...['-v', 'error', '-show_entries', 'stream=codec_name,width,height', '-of', 'json'],
      ...['-read_intervals', '%+2', `${stack.base}index.m3u8?tok=${stack.token}`],
    ]);
    expect(probe.stderr).toBe('');
    const names = JSON.parse(probe.stdout).streams.map((stream: { codec_name: string }) => stream.codec_name);
    expect(names.sort()).toEqual(['aac', 'h264']);
  });

  it('is decoded by ffmpeg from start to end of four seconds', { timeout: 40_000 }, async () => {
    const decoded = await run('ffmpeg', [
      ...['-v', 'error', '-nostdin', '-i', `${stack.base}index.m3u8?tok=${stack.token}`],
      ...['-t', '4', '-f', 'framecrc', '-'],
    ]);
    expect(decoded.stderr).toBe('');
    expect(decoded.code).toBe(0);
    const frames = decoded.stdout.split('\n').filter((line) => line.startsWith('0,'));
    expect(frames.length).toBeGreaterThanOrEqual(95);
  });

  it('answers the first viewer at once', async () => {
    const fresh = await startHlsStack();
    try {
      await until(() => (fresh.engine.stats().live[0]?.units ?? 0) > 150, 'two seconds of media are in');
      const started = performance.now();
      const response = await fresh.get('index.m3u8');
      expect(response.status).toBe(200);
      await response.text();
      expect(performance.now() - started).toBeLessThan(600);
    } finally {
      await fresh[Symbol.asyncDispose]();
    }
  });
});

describe('access to LL-HLS', () => {
  const words = async (response: Response) => ((await response.json()) as { error: { message: string } }).error.message;
  const at = (path: string, token: string) => fetch(`${stack.base}${path}?tok=${token}`);

  it('is refused in words, wherever the token is shown', async () => {
    const playlist = parseMediaPlaylist(await (await stack.get('audio/index.m3u8')).text());
    const media = [playlist.segments[0]!.uri, playlist.segments[0]!.map!].map(
      (uri) => `audio/${uri.replace(/\?.*/, '')}`,
    );
    const { body } = await stack.control.call('POST', '/v1/live-inputs', { body: { name: 'other' } });
    const other = await stack.control.call('POST', `/v1/live-inputs/${body.id}/playback-tokens`, { body: {} });
    for (const path of ['index.m3u8', 'audio/index.m3u8', ...media]) {
      const none = await fetch(stack.base + path);
      expect(none.status, path).toBe(401);
      expect(await words(none)).toMatch(/no token/);
      expect(none.headers.get('access-control-allow-origin')).toBe('*');
      expect(none.headers.get('cache-control')).toBe('no-store');
      const wrong = await at(path, other.body.token);
      expect(wrong.status, path).toBe(403);
      expect(await words(wrong)).toMatch(/another input/);
      const damaged = await at(path, `${stack.token.slice(0, -8)}AAAAAAAA`);
      expect(damaged.status, path).toBe(403);
      expect(await words(damaged)).toMatch(/signature/);
      expect((await at(path, stack.token)).status, path).toBe(200);
    }
  });

  it('ends when a token is revoked', { timeout: 20_000 }, async () => {
    const { body } = await stack.control.call('POST', `/v1/live-inputs/${stack.inputId}/playback-tokens`, { body: {} });
    expect(body.hlsUrl).toBe(`${stack.base}index.m3u8?tok=${body.token}`);
    expect((await fetch(body.hlsUrl)).status).toBe(200);
    const revoked = await stack.control.call('POST', '/v1/playback/revocations', { body: { jti: body.jti } });
    expect(revoked.status).toBeLessThan(300);
    await expect.poll(async () => (await fetch(body.hlsUrl)).status, { timeout: 10_000 }).toBe(403);
  });

  it('says so when the input is off air, and what is not there', async () => {
    const { body } = await stack.control.call('POST', '/v1/live-inputs', { body: { name: 'idle' } });
    const minted = await stack.control.call('POST', `/v1/live-inputs/${body.id}/playback-tokens`, { body: {} });
    const idle = await fetch(minted.body.hlsUrl);
    expect(idle.status).toBe(404);
    expect(await words(idle)).toMatch(/not live/);
    for (const path of ['video/nothing/index.m3u8', 'audio/segment-1.m4s', 'audio/part-1.m4s', '../index', 'audio/x'])
      expect((await stack.get(path)).status, path).toBe(404);
    expect((await stack.get('index.m3u8', { method: 'POST' })).status).toBe(405);
    expect((await stack.get(`audio/index.m3u8?tok=${stack.token}&_HLS_msn=99999999999`)).status).toBe(400);
    expect((await stack.get(`audio/index.m3u8?tok=${stack.token}&_HLS_part=1`)).status).toBe(400);
  });

  it('says what may be cached, by whom it may be read, and how long it is', async () => {
    const playlist = await stack.get('audio/index.m3u8');
    expect(playlist.headers.get('content-type')).toBe('application/vnd.apple.mpegurl');
    expect(playlist.headers.get('cache-control')).toBe('no-cache');
    expect(playlist.headers.get('content-encoding')).toBe('gzip');
    expect(playlist.headers.get('access-control-allow-origin')).toBe('*');
    const { segments } = parseMediaPlaylist(await playlist.text());
    const segment = url('audio/index.m3u8', segments.at(-1)!.uri);
    const [got, head] = await Promise.all([fetch(segment), fetch(segment, { method: 'HEAD' })]);
    expect(got.headers.get('cache-control')).toMatch(/immutable/);
    expect(got.headers.get('content-encoding')).toBeNull();
    expect(head.status).toBe(200);
    expect(head.headers.get('content-length')).toBe(String((await got.arrayBuffer()).byteLength));
    expect((await head.arrayBuffer()).byteLength).toBe(0);
    const plain = await stack.get('audio/index.m3u8', { headers: { 'accept-encoding': 'identity' } });
    expect(plain.headers.get('content-encoding')).toBeNull();
    const preflight = await stack.get('index.m3u8', {
      method: 'OPTIONS',
      headers: { origin: 'https://player.example', 'access-control-request-headers': 'range' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-headers')).toBe('range');
  });
});

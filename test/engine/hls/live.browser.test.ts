import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseMediaPlaylist, parseMultivariantPlaylist } from '../../../src/codec/hls/parse-playlist.ts';
import { startEncoder } from '../../helpers/ffmpeg.ts';
import { run, until } from '../harness.ts';
import { followRendition } from './follow.ts';
import { type HlsStack, startHlsStack } from './stack.ts';
import { watchSwitching } from './switching.ts';

/** `npm run soak -- hls` looks longer, with a rendition switch and a publisher that comes back. */
const followSeconds = 15;

let stack: HlsStack;
beforeAll(async () => {
  stack = await startHlsStack();
  await until(() => (stack.engine.stats().live[0]?.units ?? 0) > 75, 'a second of media is in');
});
afterAll(() => stack?.[Symbol.asyncDispose]());

const url = (playlist: string, uri: string) => new URL(uri, new URL(playlist, stack.base)).href;
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
    const end = performance.now() + seconds * 1000;
    const enough = () => performance.now() > end;
    const { base, token } = stack;
    const followed = await Promise.all(paths.map((path) => followRendition({ base, token, path, enough })));
    for (const { problems, reloads, deltas } of followed) {
      expect(problems).toEqual([]);
      expect(reloads).toBeGreaterThan(seconds * 4);
      // After twelve seconds there is something to leave out.
      if (seconds > 14) expect(deltas).toBeGreaterThan(0);
    }
  });

  it('keeps them while a player changes the rendition and the publisher comes back', { timeout: 60_000 }, async () => {
    await using live = await startHlsStack({ demo: false, ladder: '180p:200k' });
    const rtmp = `rtmp://127.0.0.1:${live.engine.rtmpPort}/live/${live.inputId}?sk=${live.streamKey}`;
    let encoder = startEncoder(rtmp);
    try {
      await until(() => (live.engine.stats().live[0]?.units ?? 0) > 100, 'two seconds of media are in', 10_000);
      const followed = await watchSwitching({
        base: live.base,
        token: live.token,
        seconds: 12,
        async disturb() {
          await encoder.stop();
          encoder = startEncoder(rtmp);
        },
      });
      expect(followed.flatMap(({ problems }) => problems)).toEqual([]);
      const [sound, , small] = followed;
      expect(sound).toMatchObject({ discontinuities: 1, timeouts: 0 });
      expect(small).toMatchObject({ discontinuities: 1, timeouts: 0 });
      for (const { reloads, segments } of followed) {
        expect(reloads).toBeGreaterThan(8);
        expect(segments).toBeGreaterThan(1);
      }
    } finally {
      await encoder.stop();
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

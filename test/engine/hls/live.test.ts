import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseMediaPlaylist, parseMultivariantPlaylist } from '../../../src/codec/hls/parse-playlist.ts';
import type { MediaPlaylist } from '../../../src/codec/hls/playlist.ts';
import { mediaPlaylistProblems, merge, updateProblems } from '../../../src/codec/hls/validate-playlist.ts';
import { bytesEqual, concat } from '../../../src/core/bytes.ts';
import { run, until } from '../harness.ts';
import { type HlsStack, startHlsStack } from './stack.ts';

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
    timeout: 60_000,
  }, async () => {
    const seconds = Number(process.env.STREAMS_HLS_SECONDS ?? 15);
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

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeCatalog } from '../../src/codec/catalog/streams-catalog.ts';
import { parseFragment } from '../../src/codec/cmaf/fragment.ts';
import { parseInitSegment } from '../../src/codec/cmaf/init-segment.ts';
import { collect, type Group, type Harness, namespace, run, startHarness, until } from './harness.ts';
import { decodeTimes, subscribeAll } from './received.ts';

/** How each way in is reached, and what carries it. */
const ways = [
  { way: 'RTMP', format: 'flv', url: (harness: Harness) => harness.url() },
  { way: 'SRT', format: 'mpegts', url: (harness: Harness) => harness.srtUrl() },
] as const;

let folder: string;
const clip = (name: string, format: string) => join(folder, `${name}.${format}`);

const seconds = 3;

/** Pictures with B-pictures among them, and AAC. */
async function encode(
  file: string,
  format: string,
  size: string,
  { codec = 'libx264', startsAt = 0 } = {},
): Promise<void> {
  // biome-ignore format: one option a line says less
  const args = ['-v', 'error', '-nostdin', '-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=25`, '-f', 'lavfi', '-i', 'sine=r=48000', '-t', String(seconds),
    '-pix_fmt', 'yuv420p', '-c:v', codec, '-preset', 'ultrafast', ...(codec === 'libx265' ? ['-x265-params', 'log-level=none'] : []), '-bf', '2', '-g', '25', '-b_strategy', '0', '-c:a', 'aac', '-ac', '2', '-output_ts_offset', String(startsAt),
    '-f', format, '-y', file];
  expect(await run('ffmpeg', args)).toMatchObject({ code: 0 });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'streams-encoders-'));
  for (const format of ['flv', 'mpegts']) {
    await encode(clip('large', format), format, '640x360');
    await encode(clip('small', format), format, '320x180', { codec: format === 'mpegts' ? 'libx265' : 'libx264' });
    // The first pictures of a file with B-pictures are decoded before its beginning.
    await encode(clip('later', format), format, '320x180', { startsAt: seconds + 0.2 });
    // One stream whose encoder changed its mind: without the header of the second file.
    const later = await readFile(clip('later', format));
    await encode(clip('changing', format), format, '640x360');
    await appendFile(clip('changing', format), later.subarray(format === 'flv' ? 13 : 0));
  }
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const source = (file: string, format: string, ...before: string[]) =>
  ['-v', 'error', '-nostdin', ...before, '-f', format, '-i', file, '-c', 'copy'] as const;

const inWidths = (groups: Group[]) =>
  [...groups]
    .sort((a, b) => a.groupId - b.groupId)
    .filter(({ objects }) => objects.length > 0)
    .map(({ objects }) => parseInitSegment(objects[0]!.payload)[0]!.width);
const catalogs = (groups: Group[]) =>
  groups.flatMap(({ objects }) => objects.map(({ payload }) => decodeCatalog(payload)));
const changes = <T>(values: T[]) => values.filter((value, i) => value !== values[i - 1]);

function expectForward(groups: Group[]): void {
  const times = decodeTimes(groups);
  for (let i = 1; i < times.length; i++) expect(times[i]! - times[i - 1]!).toBeGreaterThan(0);
}

// Each has a harness of its own and waits for its encoder most of the time.
describe.concurrent.each(ways)('an encoder over $way', ({ format, url }) => {
  it('that dies and comes back with another size, and another codec where the way in has one, goes on with the same broadcast', {
    timeout: 40_000,
  }, async () => {
    // Longer than it takes to notice over SRT.
    await using harness = await startHarness({ graceMs: 15_000 });
    const first = spawn(
      'ffmpeg',
      [...source(clip('large', format), format, '-re', '-stream_loop', '-1'), '-f', format, url(harness)],
      { stdio: 'ignore' },
    );
    try {
      const { catalog, video, audio } = await subscribeAll(harness);
      await until(() => video.some(({ objects }) => objects.length > 5), 'media of the first', 15_000);
      first.kill('SIGKILL');
      await once(first, 'close');
      const pushed = await run('ffmpeg', [...source(clip('small', format), format, '-re'), '-f', format, url(harness)]);
      expect(pushed).toMatchObject({ code: 0 });
      await until(() => catalogs(catalog).some(({ live }) => !live), 'the last catalog', 10_000);
      expect(changes(inWidths(video))).toEqual([640, 320]);
      const sizes = catalogs(catalog).map(({ tracks }) => tracks.find(({ kind }) => kind === 'video')?.width);
      expect(changes(sizes)).toEqual([640, 320]);
      const codecs = catalogs(catalog).map(({ tracks }) =>
        tracks.find(({ kind }) => kind === 'video')?.codec.slice(0, 4),
      );
      expect(changes(codecs)).toEqual(format === 'mpegts' ? ['avc1', 'hvc1'] : ['avc1']);
      expect(
        catalogs(catalog)
          .slice(0, -1)
          .every(({ live }) => live),
      ).toBe(true);
      expectForward(video);
      expectForward(audio);
      // Neither another broadcast nor another subscription.
      expect(harness.relays).toHaveLength(1);
      expect(harness.log.filter(({ message }) => message === 'input is live')).toHaveLength(1);
    } finally {
      first.kill('SIGKILL');
    }
  });

  it('that changes its size in the middle begins a new group, and the catalog says so', {
    timeout: 40_000,
  }, async () => {
    await using harness = await startHarness();
    const pushed = run('ffmpeg', [...source(clip('changing', format), format, '-re'), '-f', format, url(harness)]);
    const { catalog, video, audio } = await subscribeAll(harness);
    expect(await pushed).toMatchObject({ code: 0 });
    await until(() => catalogs(catalog).some(({ live }) => !live), 'the last catalog', 10_000);
    expect(changes(inWidths(video))).toEqual([640, 320]);
    const sizes = catalogs(catalog).map(({ tracks }) => tracks.find(({ kind }) => kind === 'video')?.width);
    expect(changes(sizes)).toEqual([640, 320]);
    expectForward(video);
    expectForward(audio);
    // B-pictures are shown later than they are decoded.
    const offsets = video.flatMap(({ objects }) =>
      objects.slice(1).map(({ payload }) => parseFragment(payload).tracks[0]!.samples[0]!.compositionOffset),
    );
    expect(new Set(offsets).size).toBeGreaterThan(1);
    expect(harness.log.filter(({ message }) => message === 'publisher connected')).toHaveLength(1);
  });

  it.each([
    ['sound only', '-vn', 'audio', 'mp4a.40.2'],
    ['pictures only', '-an', 'video', 'avc1.'],
  ])('with %s is a broadcast of that', { timeout: 30_000 }, async (_name, without, kind, codec) => {
    await using harness = await startHarness();
    const args = [...source(clip('large', format), format, '-re'), without, '-f', format, url(harness)];
    const pushed = run('ffmpeg', args);
    await until(() => harness.relays.length > 0, 'the engine publishes', 10_000);
    const { session, announced } = harness.relays[0]!;
    await announced;
    const open = async (name: string) =>
      collect(await session.subscribe({ namespace, name }, { filter: { type: 'unfiltered' } }));
    const catalog = await open('.catalog');
    await until(() => catalogs(catalog).some(({ tracks }) => tracks.length > 0), 'a catalog', 10_000);
    const groups = await open(kind === 'audio' ? 'audio' : 'video/360p');
    expect(await pushed).toMatchObject({ code: 0 });
    await until(() => catalogs(catalog).some(({ live }) => !live), 'the last catalog', 10_000);
    for (const { tracks } of catalogs(catalog))
      expect(tracks).toMatchObject([{ kind, codec: expect.stringContaining(codec) }]);
    expectForward(groups);
    expect(decodeTimes(groups).length).toBeGreaterThan(kind === 'audio' ? 80 : 40);
  });
});

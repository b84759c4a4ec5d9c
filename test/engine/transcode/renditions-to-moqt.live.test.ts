import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { decodeCatalog } from '../../../src/codec/catalog/streams-catalog.ts';
import { parseFragment } from '../../../src/codec/cmaf/fragment.ts';
import { parseInitSegment } from '../../../src/codec/cmaf/init-segment.ts';
import { parseAvcConfig } from '../../../src/codec/h264/avc-config.ts';
import { concat } from '../../../src/core/bytes.ts';
import { expectAccepted } from '../decodes.ts';
import { collect, demoFile, type Group, type Harness, namespace, startHarness, until } from '../harness.ts';

/** 640x360 at 25 frames a second, a keyframe each second. */
function pushLoop(
  harness: Harness,
  output: string[] = ['-c', 'copy', '-f', 'flv'],
  url = harness.url(),
): ChildProcess & AsyncDisposable {
  const args = ['-v', 'error', '-nostdin', '-re', '-stream_loop', '-1', '-i', demoFile];
  const child = spawn('ffmpeg', [...args, ...output, url], { stdio: 'ignore' });
  const closed = once(child, 'close');
  return Object.assign(child, {
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await closed;
    },
  });
}

async function subscribe(harness: Harness, name: string) {
  await until(() => harness.relays.length > 0, 'the engine connects to the relay');
  const { session, announced } = harness.relays[0]!;
  await announced;
  const subscription = await session.subscribe({ namespace, name }, { filter: { type: 'unfiltered' } });
  return { groups: collect(subscription), leave: () => subscription.unsubscribe() };
}

const started = (harness: Harness) => harness.log.filter(({ message }) => message === 'ffmpeg is started');
const stopped = (harness: Harness) => harness.log.some(({ message }) => message.startsWith('ffmpeg is stopped'));

/** Presentation of each picture by group, 90 kHz. */
function times(group: Group): number[] {
  return group.objects.slice(1).map(({ payload }) => {
    const track = parseFragment(payload).tracks[0]!;
    return track.baseMediaDecodeTime + track.samples[0]!.compositionOffset;
  });
}

/** Whole ones: another has begun. */
const whole = (groups: Group[]) => groups.slice(0, -1);

const renditions = { lingerMs: 300, stuckMs: 4000, retryMs: { first: 100, longest: 1000 } };

describe('renditions, from RTMP to MoQT', () => {
  it('makes two rungs on demand, picture for picture in the groups of the source, and stops again', async () => {
    await using harness = await startHarness({ ladder: '240p:300k,180p', renditions });
    await using _encoder = pushLoop(harness);
    const catalog = await subscribe(harness, '.catalog');
    const source = await subscribe(harness, 'video/360p');
    await until(() => catalog.groups.some(({ objects }) => objects.length > 0), 'a catalog');
    const first = decodeCatalog(catalog.groups[0]!.objects[0]!.payload).tracks;
    expect(first.map(({ name }) => name)).toEqual(['video/360p', 'video/240p', 'video/180p', 'audio']);
    expect(first[1]).toMatchObject({ codec: 'avc1.640015', width: 426, height: 240, bitrate: 300_000, framerate: 25 });
    expect(started(harness)).toHaveLength(0);

    const [tall, small] = [await subscribe(harness, 'video/240p'), await subscribe(harness, 'video/180p')];
    await until(() => tall.groups.length > 3 && small.groups.length > 3, 'groups of both rungs', 15_000);
    expect(started(harness)).toHaveLength(1);
    for (const { groups } of [tall, small]) {
      for (const group of whole(groups)) {
        const same = source.groups.find(({ groupId }) => groupId === group.groupId)!;
        expect(times(group)).toEqual([...times(same)].sort((a, b) => a - b));
        const [key, ...rest] = group.objects
          .slice(1)
          .map(({ payload }) => parseFragment(payload).tracks[0]!.samples[0]!);
        expect(key!.keyframe).toBe(true);
        expect(rest.some(({ keyframe }) => keyframe)).toBe(false);
      }
      const ids = groups.map(({ groupId }) => groupId);
      expect(ids).toEqual(ids.map((_, i) => ids[0]! + i));
    }
    const told = decodeCatalog(catalog.groups.at(-1)!.objects[0]!.payload).tracks;
    expect(told.map(({ codec }) => codec)).toEqual(first.map(({ codec }) => codec));
    expect(Buffer.from(told[1]!.init!, 'base64')).toEqual(Buffer.from(tall.groups[0]!.objects[0]!.payload));
    const [track] = parseInitSegment(tall.groups[0]!.objects[0]!.payload);
    expect(track).toMatchObject({ codecString: first[1]!.codec, width: 426, height: 240 });
    expect(parseAvcConfig(track!.description!.config).sps.framerate).toBe(25);
    await expectDecodable(whole(tall.groups), 240);

    tall.leave();
    await until(() => harness.control.stats?.transcodeCpuSeconds !== undefined, 'figures for the control plane');
    expect(stopped(harness)).toBe(false);
    small.leave();
    await until(() => stopped(harness), 'ffmpeg is stopped');
    expect(harness.control.stats).toMatchObject({ renditions: 'video/240p video/180p', transcodeRestarts: 0 });

    const again = await subscribe(harness, 'video/180p');
    await until(() => again.groups.some(({ objects }) => objects.length > 10), 'the rung again', 10_000);
    expect(again.groups[0]!.groupId).toBeGreaterThan(small.groups.at(-1)!.groupId);
    expect(parseInitSegment(again.groups[0]!.objects[0]!.payload)).toHaveLength(1);
  }, 60_000);

  it('starts another ffmpeg when one is killed, and the source has no gap', async () => {
    await using harness = await startHarness({ ladder: '180p,always', renditions });
    await using _encoder = pushLoop(harness);
    const source = await subscribe(harness, 'video/360p');
    const rung = await subscribe(harness, 'video/180p');
    await until(() => rung.groups.length > 1, 'the rung', 15_000);
    process.kill(Number(started(harness)[0]!.fields!.pid), 'SIGKILL');
    const before = rung.groups.at(-1)!.groupId;
    await until(
      () => rung.groups.some(({ groupId, objects }) => groupId > before + 1 && objects.length > 5),
      'it goes on',
      15_000,
    );
    expect(started(harness)).toHaveLength(2);
    expect(harness.log.find(({ message }) => message.startsWith('ffmpeg ended'))?.fields?.lastWords).toContain(
      'SIGKILL',
    );
    expect(source.groups.some(({ reset }) => reset)).toBe(false);
    const all = whole(source.groups)
      .flatMap(times)
      .sort((a, b) => a - b);
    expect(new Set(all.slice(1).map((time, i) => time - all[i]!))).toEqual(new Set([3600]));
  }, 60_000);

  it('kills one that hangs', async () => {
    await using harness = await startHarness({ ladder: '180p', renditions: { ...renditions, stuckMs: 1000 } });
    await using _encoder = pushLoop(harness);
    const rung = await subscribe(harness, 'video/180p');
    await until(() => rung.groups.length > 1, 'the rung', 15_000);
    process.kill(Number(started(harness)[0]!.fields!.pid), 'SIGSTOP');
    await until(() => started(harness).length === 2, 'another ffmpeg', 15_000);
    const before = rung.groups.length;
    await until(() => rung.groups.length > before, 'the rung goes on', 15_000);
    expect(harness.log.some(({ fields }) => String(fields?.lastWords).startsWith('nothing came out'))).toBe(true);
  }, 60_000);

  it('goes on when the source changes its size, never larger than the source', async () => {
    await using harness = await startHarness({ ladder: '240p', renditions });
    const first = pushLoop(harness);
    const catalog = await subscribe(harness, '.catalog');
    const rung = await subscribe(harness, 'video/240p');
    await until(() => rung.groups.length > 1, 'the rung', 15_000);
    const small = ['-vf', 'scale=320:180', '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-c:a', 'copy'];
    await using _second = pushLoop(harness, [...small, '-f', 'flv']);
    const sizes = () => rung.groups.map(({ objects }) => objects[0] && parseInitSegment(objects[0].payload)[0]!.height);
    await until(() => sizes().at(-1) === 180 && sizes().at(-2) === 180, 'the smaller picture', 20_000);
    await first[Symbol.asyncDispose]();
    const { tracks } = decodeCatalog(catalog.groups.at(-1)!.objects[0]!.payload);
    expect(tracks.slice(0, 2)).toMatchObject([
      { name: 'video/360p', width: 320, height: 180 },
      { name: 'video/240p', width: 320, height: 180 },
    ]);
    const ids = rung.groups.map(({ groupId }) => groupId);
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
    const all = whole(rung.groups).flatMap(times);
    expect(all).toEqual([...new Set(all)].sort((a, b) => a - b));
  }, 60_000);

  it('makes H.264 of HEVC and AAC of Opus, each in the groups of its source', async () => {
    await using harness = await startHarness({ ladder: '180p', renditions });
    const codecs = [
      '-c:v',
      'libx265',
      '-preset',
      'ultrafast',
      '-x265-params',
      'log-level=none:keyint=25',
      '-c:a',
      'libopus',
    ];
    await using _encoder = pushLoop(harness, [...codecs, '-f', 'mpegts'], harness.srtUrl());
    const catalog = await subscribe(harness, '.catalog');
    await until(() => catalog.groups.some(({ objects }) => objects.length > 0), 'a catalog', 15_000);
    const { tracks } = decodeCatalog(catalog.groups[0]!.objects[0]!.payload);
    expect(tracks.map(({ name, codec }) => [name, codec.slice(0, 9)])).toEqual([
      ['video/360p', expect.stringMatching(/^h[ve][cv]1/)],
      ['video/180p', 'avc1.6400'],
      ['audio', 'opus'],
      ['audio/aac', 'mp4a.40.2'],
    ]);
    const opus = await subscribe(harness, 'audio');
    const aac = await subscribe(harness, 'audio/aac');
    const picture = await subscribe(harness, 'video/180p');
    await until(() => aac.groups.length > 3 && picture.groups.length > 2, 'both renditions', 20_000);
    expect(parseInitSegment(picture.groups[0]!.objects[0]!.payload)[0]!.codecString).toMatch(/^avc1\.6400/);
    const [track] = parseInitSegment(aac.groups[0]!.objects[0]!.payload);
    expect(track).toMatchObject({ codecString: 'mp4a.40.2', sampleRate: 48_000, channels: 2 });
    const samples = whole(aac.groups).flatMap(times);
    expect(new Set(samples.slice(1).map((time, i) => time - samples[i]!))).toEqual(new Set([1024]));
    for (const group of whole(aac.groups)) {
      const same = opus.groups.find(({ groupId }) => groupId === group.groupId)!;
      expect(Math.abs(times(group)[0]! - times(same)[0]!)).toBeLessThan(1200);
    }
  }, 60_000);

  it('passes the source through where there is no ffmpeg, and the catalog says just that', async () => {
    await using harness = await startHarness({ ladder: 'auto', renditions: { ffmpeg: '' } });
    await using _encoder = pushLoop(harness);
    const catalog = await subscribe(harness, '.catalog');
    await until(() => catalog.groups.some(({ objects }) => objects.length > 0), 'a catalog');
    const { tracks } = decodeCatalog(catalog.groups[0]!.objects[0]!.payload);
    expect(tracks.map(({ name }) => name)).toEqual(['video/360p', 'audio']);
    expect(harness.log.some(({ message }) => message.startsWith('no ffmpeg here'))).toBe(true);
    await until(() => harness.control.stats?.renditions !== undefined, 'the control plane is told');
    expect(harness.control.stats!.renditions).toBe('none: the engine has no ffmpeg');
  }, 30_000);
});

/** ffprobe counts every picture, and ffmpeg decodes them without a word. */
async function expectDecodable(groups: Group[], height: number): Promise<void> {
  const fragments = groups.flatMap(({ objects }) => objects.slice(1).map(({ payload }) => payload));
  const file = concat([groups[0]!.objects[0]!.payload, ...fragments]);
  expect(file.length).toBeGreaterThan(1000);
  const { streams } = await expectAccepted(file, 'stream=codec_name,height,profile,nb_read_packets', ['-copyts']);
  expect(streams).toMatchObject([
    { codec_name: 'h264', profile: 'High', height, nb_read_packets: String(fragments.length) },
  ]);
}

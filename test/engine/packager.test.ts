import { describe, expect, it } from 'vitest';
import type { Catalog } from '../../src/codec/catalog/streams-catalog.ts';
import { type Fragment, parseFragment } from '../../src/codec/cmaf/fragment.ts';
import { parseInitSegment } from '../../src/codec/cmaf/init-segment.ts';
import { fromHex } from '../../src/core/bytes.ts';
import type { AudioUnit, VideoUnit } from '../../src/core/media-unit.ts';
import { Packager } from '../../src/engine/package/from-units.ts';

const avcC = fromHex('0164001effe1001a6764001eacd980a02ff97011000003000100000300320f162d9a01000668e97892c8b0fdf8f800');
const startedAt = 1_795_000_000_000;

function packager(fragmentSeconds?: number) {
  const groups: { track: string; groupId: number; objects: Uint8Array[] }[] = [];
  const catalogs: Catalog[] = [];
  const cuts: string[] = [];
  const newest = (track: string) => groups.findLast((group) => group.track === track)!;
  const made = new Packager(
    {
      beginGroup: (track, groupId) => groups.push({ track, groupId, objects: [] }),
      object: (track, payload) => newest(track).objects.push(payload),
      catalog: (catalog) => catalogs.push(catalog),
      cut: (track) => cuts.push(track),
    },
    startedAt,
    fragmentSeconds,
  );
  const of = (track: string) => groups.filter((group) => group.track === track);
  const fragments = (track: string): Fragment[] =>
    of(track).flatMap((group) => group.objects.slice(1).map((bytes) => parseFragment(bytes)));
  return { packager: made, catalogs, cuts, of, fragments };
}

const video = (dts: number, keyframe = false, config?: Uint8Array, pts = dts): VideoUnit => ({
  kind: 'video',
  codec: 'h264',
  timescale: 90_000,
  dts,
  pts,
  keyframe,
  data: fromHex('00000001 65'),
  arrivedAt: startedAt + dts / 90,
  ...(config === undefined ? {} : { config }),
});
const audio = (frame: number, config?: Uint8Array): AudioUnit => ({
  kind: 'audio',
  codec: 'aac',
  timescale: 48_000,
  dts: frame * 1024,
  pts: frame * 1024,
  duration: 1024,
  data: fromHex('2100'),
  arrivedAt: startedAt,
  ...(config === undefined ? {} : { config }),
});

describe('Packager', () => {
  it('cuts audio with video, under the same numbers, init first', () => {
    const { packager: made, of, catalogs } = packager();
    for (let ms = 0; ms < 4000; ms += 40) {
      made.push(video(ms * 90, ms % 1000 === 0, ms === 0 ? avcC : undefined));
      for (let frame = Math.ceil((ms * 48) / 1024); frame * 1024 < (ms + 40) * 48; frame++)
        made.push(audio(frame, frame === 0 ? fromHex('1190') : undefined));
    }
    expect(of('video/360p').map((group) => group.groupId)).toEqual([0, 1, 2, 3].map((i) => startedAt + i));
    expect(of('audio').map((group) => group.groupId)).toEqual([0, 1, 2, 3].map((i) => startedAt + i));
    for (const group of [...of('video/360p'), ...of('audio')])
      expect(parseInitSegment(group.objects[0]!)).toHaveLength(1);
    for (const group of of('audio').slice(1)) {
      const second = parseFragment(group.objects[1]!).tracks[0]!.baseMediaDecodeTime / 48_000 - startedAt / 1000;
      expect(second % 1).toBeLessThan(1024 / 48_000);
    }
    expect(catalogs[0]!.tracks).toHaveLength(2);
    expect(catalogs.at(-1)!.tracks.map((track) => track.name)).toEqual(['video/360p', 'audio']);
    expect(catalogs.at(-1)!.tracks[0]!.bitrate).toBe(1000);
  });

  it('gathers units into fragments of at most the chosen time, whole at the end of a group and of the broadcast', () => {
    const { packager: made, of, fragments } = packager(0.1);
    const times: number[] = [];
    // 30 pictures a second, the sixth of them late by half a picture.
    for (let i = 0; i < 40; i++) {
      const dts = i * 3000 + (i === 5 ? 1500 : 0);
      times.push(startedAt * 90 + dts);
      made.push(video(dts, i % 16 === 0, i === 0 ? avcC : undefined, dts + 3000));
    }
    made.end();
    expect(of('video/360p').map(({ objects }) => objects.length - 1)).toEqual([6, 6, 3]);
    const tracks = fragments('video/360p').map(({ tracks: [track] }) => track!);
    const seen = tracks.flatMap(({ baseMediaDecodeTime, samples }) =>
      samples.map((_, i) => baseMediaDecodeTime + samples.slice(0, i).reduce((sum, { duration }) => sum + duration, 0)),
    );
    expect(seen).toEqual(times);
    expect(tracks.every(({ samples }) => samples.every(({ compositionOffset }) => compositionOffset === 3000))).toBe(
      true,
    );
    expect(
      tracks.map(({ samples }) => samples.map(({ keyframe }) => keyframe).lastIndexOf(true)).filter((at) => at > 0),
    ).toEqual([]);
    for (const { samples } of tracks)
      expect(samples.reduce((sum, { duration }) => sum + duration, 0)).toBeLessThanOrEqual(0.1 * 90_000);
    const sequences = fragments('video/360p').map(({ sequence }) => sequence);
    expect(sequences.toSorted((a, b) => a - b)).toEqual([...new Set(sequences)]);
  });

  it('cuts audio every second without video', () => {
    const { packager: made, of } = packager();
    for (let frame = 0; frame < 141; frame++) made.push(audio(frame, frame === 0 ? fromHex('1190') : undefined));
    expect(of('audio').map((group) => group.objects.length - 1)).toEqual([47, 47, 47]);
  });

  it('starts at a keyframe, keeps B-frames, and knows how long a frame lasts', () => {
    const { packager: made, fragments } = packager();
    made.push(video(0, false, avcC));
    made.push(video(3000, true, undefined, 9000));
    made.push(video(6000, false, undefined, 18_000));
    made.push(video(9000, false, undefined, 9000));
    const samples = fragments('video/360p').map((fragment) => fragment.tracks[0]!.samples[0]!);
    expect(samples.map((sample) => [sample.keyframe, sample.compositionOffset, sample.duration])).toEqual([
      [true, 6000, 3600],
      [false, 12_000, 3000],
      [false, 0, 3000],
    ]);
    expect(fragments('video/360p')[0]!.producer!.wallClock).toBe(startedAt + 33);
  });

  it('cuts a group that gets too large without a keyframe, and says so', () => {
    const { packager: made, of, cuts } = packager();
    const data = new Uint8Array(1 << 20);
    for (let i = 0; i < 60; i++) {
      made.push({ ...video(i * 3000, i === 0, i === 0 ? avcC : undefined), data });
      made.push(audio(i, i === 0 ? fromHex('1190') : undefined));
    }
    const groups = of('video/360p');
    expect(groups.map(({ objects }) => objects.length - 1)).toEqual([23, 23, 14]);
    expect(cuts).toEqual(['video/360p', 'video/360p']);
    // Audio, which is shorter here, is cut with it.
    expect(of('audio').map(({ groupId }) => groupId)).toEqual([startedAt, startedAt + 1]);
    for (const { objects } of groups) expect(parseInitSegment(objects[0]!)).toHaveLength(1);
  });

  it('begins without pictures that are shown before its first keyframe', () => {
    const { packager: made, fragments } = packager();
    made.push(video(0, true, avcC, 9000));
    made.push(video(3000, false, undefined, 3000));
    made.push(video(6000, false, undefined, 6000));
    made.push(video(9000, false, undefined, 18_000));
    made.push(video(12_000, false, undefined, 12_000));
    // Of later keyframes they stay: who watches already can decode them.
    made.push(video(15_000, true, undefined, 27_000));
    made.push(video(18_000, false, undefined, 21_000));
    expect(fragments('video/360p')).toHaveLength(5);
  });

  it('joins the clock of the next publisher, with a new init at its keyframe', () => {
    const { packager: made, of, fragments } = packager();
    made.push(video(900_000, true, avcC));
    made.push(video(903_600));
    made.restart();
    made.push(video(50, false, avcC));
    made.push(video(3650, true));
    made.push(video(7250));
    const times = fragments('video/360p').map((fragment) => fragment.tracks[0]!.baseMediaDecodeTime - startedAt * 90);
    expect(times).toEqual([0, 3600, 10_800, 14_400]);
    expect(of('video/360p').map((group) => group.groupId - startedAt)).toEqual([0, 1]);
    expect(fragments('video/360p').map((fragment) => fragment.sequence)).toEqual([1, 2, 3, 4]);
  });

  it('takes a change of picture size at the next keyframe, and tells of it', () => {
    const { packager: made, of, catalogs } = packager();
    made.push(video(0, true, avcC));
    for (let dts = 3600; dts < 90_000; dts += 3600) made.push(video(dts));
    const other = avcC.slice();
    other[3] = other[11] = 0x1f;
    made.push(video(90_000, false, other));
    made.push(video(93_600, true));
    expect(catalogs.map((catalog) => catalog.tracks[0]!.codec)).toEqual(['avc1.64001e', 'avc1.64001f']);
    expect(of('video/360p').map((group) => parseInitSegment(group.objects[0]!)[0]!.codecString)).toEqual([
      'avc1.64001e',
      'avc1.64001f',
    ]);
    expect(of('video/360p')[0]!.objects).toHaveLength(26);
  });

  it('says so when the broadcast is over', () => {
    const { packager: made, catalogs } = packager();
    for (let frame = 0; frame < 30; frame++) made.push(audio(frame, frame === 0 ? fromHex('1190') : undefined));
    made.end();
    expect(catalogs.map((catalog) => catalog.live)).toEqual([true, false]);
  });
});

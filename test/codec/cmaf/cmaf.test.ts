import { createFile, MP4BoxBuffer } from 'mp4box';
import { describe, expect, it } from 'vitest';
import { readBoxes } from '../../../src/codec/cmaf/boxes.ts';
import { fragmentOverhead, parseFragment, writeFragment } from '../../../src/codec/cmaf/fragment.ts';
import { type InitTrack, parseInitSegment, writeInitSegment } from '../../../src/codec/cmaf/init-segment.ts';
import { mergeInits } from '../../../src/codec/cmaf/merge-inits.ts';
import { retimeFragment } from '../../../src/codec/cmaf/retime.ts';
import { CmafSplitter } from '../../../src/codec/cmaf/splitter.ts';
import { concat, fromHex, utf8 } from '../../../src/core/bytes.ts';

const avcC = fromHex('0164001effe1001a6764001eacd980a02ff97011000003000100000300320f162d9a01000668e97892c8b0fdf8f800');
const video: InitTrack = {
  kind: 'video',
  codec: 'h264',
  trackId: 1,
  timescale: 90000,
  width: 640,
  height: 360,
  config: avcC,
};
const audio: InitTrack = {
  kind: 'audio',
  codec: 'aac',
  trackId: 2,
  timescale: 48000,
  sampleRate: 48000,
  channels: 2,
  config: fromHex('1190'),
};
const sample = {
  trackId: 1,
  sequence: 7,
  decodeTime: 160_000_000_000_123,
  duration: 3600,
  compositionOffset: -7200,
  keyframe: true,
  data: fromHex('00000002 6588'),
  wallClock: 1_795_000_000_250,
};

describe('boxes', () => {
  const bad = [
    ['a size smaller than the header', '00000007 66726565'],
    ['a size beyond the end', '00000010 66726565'],
    ['a cut header', '000000'],
    ['a large size beyond 2^53', '00000001 66726565 ffffffffffffffff'],
    ['a large size smaller than its header', '00000001 66726565 000000000000000f'],
  ] as const;
  it.each(bad)('refuse %s', (_name, bytes) => {
    expect(() => readBoxes(fromHex(bytes))).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
  });

  it('of large size, and to the end, are read', () => {
    const boxes = readBoxes(fromHex('00000001 66726565 0000000000000011 aa  00000000 6d646174 bbcc'));
    expect(boxes.map((box) => [box.type, box.start, box.payload])).toEqual([
      ['free', 0, fromHex('aa')],
      ['mdat', 17, fromHex('bbcc')],
    ]);
  });
});

describe('init segment', () => {
  it('tells of its video track', () => {
    expect(parseInitSegment(writeInitSegment(video))).toMatchObject([
      {
        trackId: 1,
        timescale: 90000,
        kind: 'video',
        codecString: 'avc1.64001e',
        width: 640,
        height: 360,
        description: { config: avcC },
      },
    ]);
  });

  it('tells of its audio track', () => {
    expect(parseInitSegment(writeInitSegment(audio))).toMatchObject([
      { trackId: 2, timescale: 48000, kind: 'audio', codecString: 'mp4a.40.2', sampleRate: 48000, channels: 2 },
    ]);
  });

  it('merges with another; equal ids move', () => {
    expect(mergeInits([writeInitSegment(video), writeInitSegment(audio)]).trackIds).toEqual([1, 2]);
    const merged = mergeInits([writeInitSegment(video), writeInitSegment({ ...audio, trackId: 1 })]);
    expect(merged.trackIds).toEqual([1, 2]);
    expect(parseInitSegment(merged.bytes)).toMatchObject([
      { trackId: 1, codecString: 'avc1.64001e' },
      { trackId: 2, codecString: 'mp4a.40.2' },
    ]);
  });
});

describe('fragment', () => {
  it('survives a round trip', () => {
    const bytes = writeFragment(sample);
    expect(bytes.length).toBe(fragmentOverhead + sample.data.length);
    expect(parseFragment(bytes)).toEqual({
      sequence: 7,
      producer: { trackId: 1, wallClock: sample.wallClock, mediaTime: sample.decodeTime },
      tracks: [
        {
          trackId: 1,
          baseMediaDecodeTime: sample.decodeTime,
          samples: [{ duration: 3600, compositionOffset: -7200, flags: 0x02000000, keyframe: true, data: sample.data }],
        },
      ],
    });
    expect(parseFragment(writeFragment({ ...sample, keyframe: false })).tracks[0]!.samples[0]!.keyframe).toBe(false);
  });

  it('holds several access units', () => {
    const second = { duration: 1800, compositionOffset: 3600, keyframe: false, data: utf8('second unit') };
    const bytes = writeFragment(sample, [second]);
    const [track] = parseFragment(bytes).tracks;
    expect(track!.samples).toEqual([
      { duration: 3600, compositionOffset: -7200, flags: 0x02000000, keyframe: true, data: sample.data },
      { ...second, flags: 0x01010000 },
    ]);
    expect(bytes.length).toBe(fragmentOverhead + 16 + sample.data.length + second.data.length);
  });

  it('moves in time and to another track', () => {
    const moved = parseFragment(
      retimeFragment(writeFragment(sample), { offset: -sample.decodeTime + 5, trackId: 9, sequence: 1 }),
    );
    expect(moved).toMatchObject({
      sequence: 1,
      producer: { mediaTime: 5, trackId: 9 },
      tracks: [{ trackId: 9, baseMediaDecodeTime: 5 }],
    });
  });

  it('does not move below 0', () => {
    expect(() => retimeFragment(writeFragment(sample), { offset: -sample.decodeTime - 1 })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });

  it('with a sample outside of it is MALFORMED', () => {
    const bytes = writeFragment(sample);
    new DataView(bytes.buffer).setUint32(32 + 104 - 12, 1000);
    expect(() => parseFragment(bytes)).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
  });

  it('cut anywhere is MALFORMED', () => {
    const bytes = writeFragment(sample);
    for (let end = 0; end < bytes.length; end++)
      expect(() => parseFragment(bytes.subarray(0, end)), `cut at ${end}`).toThrow(
        expect.objectContaining({ code: 'MALFORMED' }),
      );
  });
});

describe('splitter', () => {
  const init = writeInitSegment(video);
  const one = writeFragment(sample);
  const two = writeFragment({ ...sample, sequence: 8 });
  const free = fromHex('0000000a 66726565 0102');

  it.each([1, 7, 64, 100_000])('finds the pieces in steps of %i bytes', (step) => {
    const stream = concat([init, free, one, two]);
    const splitter = new CmafSplitter();
    const pieces = [];
    for (let at = 0; at < stream.length; at += step) pieces.push(...splitter.push(stream.subarray(at, at + step)));
    expect(pieces).toEqual([
      { kind: 'init', bytes: init, origin: 0 },
      { kind: 'fragment', bytes: one, origin: init.length + free.length },
      { kind: 'fragment', bytes: two, origin: init.length + free.length + one.length },
    ]);
    expect(splitter.atBoundary).toBe(true);
  });

  it('refuses media without its moof, and a box beyond the bound', () => {
    expect(() => new CmafSplitter().push(fromHex('00000008 6d646174'))).toThrow(
      expect.objectContaining({ code: 'MALFORMED' }),
    );
    expect(() => new CmafSplitter({ maxBoxBytes: 100 }).push(fromHex('00000065 6d6f6f66'))).toThrow(
      expect.objectContaining({ code: 'LIMIT_EXCEEDED' }),
    );
  });
});

describe('mp4box', () => {
  it('reads init and fragments as we meant them', () => {
    const fragments = [0, 1, 2].map((i) =>
      writeFragment({
        ...sample,
        decodeTime: i * 3600,
        compositionOffset: 7200,
        keyframe: i === 0,
        data: utf8(`unit ${i}`),
      }),
    );
    const sound = writeFragment({ ...sample, trackId: 2, decodeTime: 0, duration: 1024, data: utf8('sound') });
    const file = createFile(true);
    let info: ReturnType<typeof file.getInfo> | undefined;
    file.onReady = (ready) => {
      info = ready;
    };
    const bytes = concat([mergeInits([writeInitSegment(video), writeInitSegment(audio)]).bytes, ...fragments, sound]);
    file.appendBuffer(MP4BoxBuffer.fromArrayBuffer(bytes.slice().buffer, 0));
    file.flush();
    expect(info?.isFragmented).toBe(true);
    expect(info?.tracks.map((track) => [track.id, track.codec, track.timescale])).toEqual([
      [1, 'avc1.64001e', 90000],
      [2, 'mp4a.40.2', 48000],
    ]);
    const samples = file.getTrackSamplesInfo(1);
    expect(samples.map((s) => [s.dts, s.cts, s.duration, s.is_sync, s.size])).toEqual([
      [0, 7200, 3600, true, 6],
      [3600, 10800, 3600, false, 6],
      [7200, 14400, 3600, false, 6],
    ]);
    expect(file.getTrackSamplesInfo(2)).toHaveLength(1);
  });
});

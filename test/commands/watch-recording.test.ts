import { describe, expect, it } from 'vitest';
import { Mp4Recorder } from '../../commands/watch/mp4-recorder.ts';
import { parseFragment, writeFragment } from '../../src/codec/cmaf/fragment.ts';
import { parseInitSegment, writeInitSegment } from '../../src/codec/cmaf/init-segment.ts';
import { CmafSplitter } from '../../src/codec/cmaf/splitter.ts';
import { fromHex } from '../../src/core/bytes.ts';

const init = {
  video: (width = 640) =>
    writeInitSegment({
      kind: 'video',
      codec: 'h264',
      config: fromHex('0164001effe1001a6764001eacd980a02ff97011000003000100000300320f162d9a01000668e97892c8b0fdf8f800'),
      width,
      height: 360,
      trackId: 1,
      timescale: 90_000,
    }),
  audio: () =>
    writeInitSegment({
      kind: 'audio',
      codec: 'aac',
      config: fromHex('1190'),
      sampleRate: 48_000,
      channels: 2,
      trackId: 1,
      timescale: 48_000,
    }),
};

const fragment = (timescale: number, seconds: number, durationSeconds = 0.1) =>
  writeFragment({
    trackId: 1,
    sequence: 1,
    decodeTime: Math.round(seconds * timescale),
    duration: Math.round(durationSeconds * timescale),
    compositionOffset: 0,
    keyframe: true,
    data: new Uint8Array([1, 2, 3]),
    wallClock: 1_700_000_000_000,
  });
const video = (seconds: number) => fragment(90_000, seconds);
const audio = (seconds: number) => fragment(48_000, seconds);

function record() {
  const pieces: Uint8Array[] = [];
  const changed: string[] = [];
  const recording = new Mp4Recorder(
    (bytes) => pieces.push(bytes),
    (track) => changed.push(track),
  );
  /** What a reader of the file finds: decode times in seconds by track id, in the order of the file. */
  const read = () => {
    const splitter = new CmafSplitter();
    const found = pieces.flatMap((piece) => [...splitter.push(piece)]);
    expect(found[0]?.kind).toBe('init');
    expect(found.slice(1).every(({ kind }) => kind === 'fragment')).toBe(true);
    const tracks = parseInitSegment(found[0]!.bytes);
    const times = found.slice(1).map(({ bytes }) => {
      const { sequence, tracks: inFragment } = parseFragment(bytes);
      const { trackId, baseMediaDecodeTime } = inFragment[0]!;
      const { timescale } = tracks.find((track) => track.trackId === trackId)!;
      return { sequence, trackId, at: Math.round((baseMediaDecodeTime / timescale) * 1000) / 1000 };
    });
    return { tracks, times };
  };
  return { recording, pieces, changed, read };
}

describe('a recording', () => {
  it('waits for all tracks, then merges them on one time line from 0', () => {
    const { recording, pieces, read } = record();
    recording.expect(['video', 'audio']);
    recording.init('video', init.video());
    recording.fragment('video', video(100.1));
    recording.fragment('video', video(100.2));
    expect(pieces).toEqual([]);
    recording.init('audio', init.audio());
    recording.fragment('audio', audio(100.0));
    recording.fragment('audio', audio(100.1));
    const { tracks, times } = read();
    expect(tracks.map(({ kind }) => kind)).toEqual(['video', 'audio']);
    expect(tracks.map(({ trackId }) => trackId)).toEqual([1, 2]);
    expect(times).toEqual([
      { sequence: 1, trackId: 1, at: 0.1 },
      { sequence: 2, trackId: 1, at: 0.2 },
      { sequence: 3, trackId: 2, at: 0 },
      { sequence: 4, trackId: 2, at: 0.1 },
    ]);
  });

  it('goes on where it was when the encoder starts a new time line', () => {
    const { recording, read } = record();
    recording.expect(['video', 'audio']);
    recording.init('video', init.video());
    recording.init('audio', init.audio());
    recording.fragment('video', video(50));
    recording.fragment('audio', audio(50));
    recording.fragment('video', video(50.1));
    recording.init('video', init.video());
    recording.fragment('video', video(0));
    recording.fragment('audio', audio(0.05));
    recording.fragment('video', video(0.1));
    expect(read().times.map(({ trackId, at }) => [trackId, at])).toEqual([
      [1, 0],
      [2, 0],
      [1, 0.1],
      [1, 0.2],
      [2, 0.25],
      [1, 0.3],
    ]);
  });

  it('keeps a gap as a gap', () => {
    const { recording, read } = record();
    recording.expect(['video']);
    recording.init('video', init.video());
    for (const at of [7, 7.1, 9.5]) recording.fragment('video', video(at));
    expect(read().times.map(({ at }) => at)).toEqual([0, 0.1, 2.5]);
  });

  it('starts without a track that never comes, at the end or when patience is over', () => {
    const short = record();
    short.recording.expect(['video', 'audio']);
    short.recording.init('video', init.video());
    short.recording.fragment('video', video(1));
    expect(short.recording.started).toBe(false);
    short.recording.finish();
    expect(short.read().times).toHaveLength(1);

    const long = record();
    long.recording.expect(['video', 'audio']);
    long.recording.init('video', init.video());
    long.recording.init('audio', init.audio());
    for (let i = 0; i < 150; i++) long.recording.fragment('video', video(i / 10));
    expect(long.read().tracks.map(({ kind }) => kind)).toEqual(['video']);
    long.recording.fragment('audio', audio(15));
    expect(long.read().times).toHaveLength(150);
  });

  it('leaves a track out once its configuration changes, and says so once', () => {
    const { recording, changed, read } = record();
    recording.expect(['video']);
    recording.init('video', init.video());
    recording.fragment('video', video(1));
    recording.init('video', init.video(1280));
    recording.fragment('video', video(1.5));
    recording.init('video', init.video(1280));
    recording.fragment('video', video(2));
    expect(changed).toEqual(['video']);
    expect(read().times).toHaveLength(1);
  });

  it('writes nothing when nothing came', () => {
    const { recording, pieces } = record();
    recording.expect(['video']);
    recording.init('video', init.video());
    recording.finish();
    expect(pieces).toEqual([]);
    expect(() => recording.init('audio', new Uint8Array([0, 0, 0, 9]))).toThrow(
      expect.objectContaining({ code: 'MALFORMED' }),
    );
  });
});

import { describe, expect, it } from 'vitest';
import { parseFragment, writeFragment } from '../../../src/codec/cmaf/fragment.ts';
import { parseInitSegment, writeInitSegment } from '../../../src/codec/cmaf/init-segment.ts';
import { mergeInits } from '../../../src/codec/cmaf/merge-inits.ts';
import { type TrackPiece, TrackSplitter } from '../../../src/codec/cmaf/track-splitter.ts';
import { concat, fromHex } from '../../../src/core/bytes.ts';

const audioInit = writeInitSegment({
  kind: 'audio',
  codec: 'aac',
  trackId: 2,
  timescale: 48_000,
  sampleRate: 48_000,
  channels: 2,
  config: fromHex('1190'),
});
const videoInit = writeInitSegment({
  kind: 'video',
  codec: 'h264',
  trackId: 1,
  timescale: 90_000,
  width: 640,
  height: 360,
  config: fromHex('0164001effe1001a6764001eacd980a02ff97011000003000100000300320f162d9a01000668e97892c8b0fdf8f800'),
});
const unit = (trackId: number, sequence: number, keyframe: boolean) =>
  writeFragment({
    trackId,
    sequence,
    decodeTime: sequence * 3000,
    duration: 3000,
    compositionOffset: trackId === 1 ? 1500 : 0,
    keyframe,
    data: new Uint8Array([trackId, sequence]),
    wallClock: 5,
  });
const stream = () =>
  concat([mergeInits([videoInit, audioInit]).bytes, unit(1, 1, true), unit(2, 1, false), unit(1, 2, false)]);

function split(bytes: Uint8Array, size: number): TrackPiece[] {
  const splitter = new TrackSplitter();
  const pieces: TrackPiece[] = [];
  for (let i = 0; i < bytes.length; i += size)
    pieces.push(...splitter.push(bytes.subarray(i, i + size), 1_700_000_000_000));
  expect(splitter.atBoundary).toBe(true);
  return pieces;
}

describe('track splitter', () => {
  it('makes a track of its own of each, whatever the cuts', () => {
    for (const size of [1, 7, 100_000]) {
      const [first, ...units] = split(stream(), size);
      if (first?.kind !== 'inits') throw new Error('no inits');
      expect(first.inits.map(({ bytes }) => parseInitSegment(bytes))).toEqual([
        parseInitSegment(videoInit),
        parseInitSegment(audioInit),
      ]);
      expect(units.map((piece) => piece.kind === 'unit' && [piece.trackId, piece.keyframe, piece.seconds])).toEqual([
        [1, true, 3000 / 90_000],
        [2, true, 3000 / 48_000],
        [1, false, 6000 / 90_000],
      ]);
      const { producer, tracks } = parseFragment((units[2] as { bytes: Uint8Array }).bytes);
      expect(producer).toMatchObject({ wallClock: 1_700_000_000_000, mediaTime: 6000 });
      expect(tracks).toMatchObject([
        { trackId: 1, baseMediaDecodeTime: 6000, samples: [{ compositionOffset: 1500, data: new Uint8Array([1, 2]) }] },
      ]);
    }
  });

  it('refuses a fragment before the first init segment', () => {
    expect(() => new TrackSplitter().push(unit(1, 1, true), 0)).toThrow(/before the first init/);
  });
});

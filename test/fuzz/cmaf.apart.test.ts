import { describe, expect, it } from 'vitest';
import { decodeHangCatalog, encodeHangCatalog } from '../../src/codec/catalog/hang-catalog.ts';
import { decodeMsfCatalog, encodeMsfCatalog } from '../../src/codec/catalog/msf-catalog.ts';
import { type Catalog, decodeCatalog, encodeCatalog } from '../../src/codec/catalog/streams-catalog.ts';
import { parseFragment, writeFragment } from '../../src/codec/cmaf/fragment.ts';
import { parseInitSegment, writeInitSegment } from '../../src/codec/cmaf/init-segment.ts';
import { mergeInits } from '../../src/codec/cmaf/merge-inits.ts';
import { retimeFragment } from '../../src/codec/cmaf/retime.ts';
import { CmafSplitter } from '../../src/codec/cmaf/splitter.ts';
import { TrackSplitter } from '../../src/codec/cmaf/track-splitter.ts';
import { parseAvcConfig } from '../../src/codec/h264/avc-config.ts';
import { concat, fromHex } from '../../src/core/bytes.ts';
import { StreamsError } from '../../src/core/errors.ts';
import { mutate, random } from './random.ts';

const config = fromHex(
  '0164001effe1001a6764001eacd980a02ff97011000003000100000300320f162d9a01000668e97892c8b0fdf8f800',
);
const inits = [
  writeInitSegment({ kind: 'video', codec: 'h264', trackId: 1, timescale: 90000, width: 640, height: 360, config }),
  writeInitSegment({
    kind: 'audio',
    codec: 'aac',
    trackId: 2,
    timescale: 48000,
    sampleRate: 48000,
    channels: 2,
    config: fromHex('1190'),
  }),
];
const fragment = writeFragment({
  trackId: 1,
  sequence: 1,
  decodeTime: 90000,
  duration: 3600,
  compositionOffset: 0,
  keyframe: true,
  data: fromHex('00000002 6588'),
  wallClock: 1_795_000_000_000,
});
const catalog: Catalog = {
  version: 1,
  live: true,
  tracks: [{ name: 'a', kind: 'video', codec: 'avc1.64001e', width: 640, height: 360, init: 'AAAA' }],
};
const allowed = new Set(['MALFORMED', 'LIMIT_EXCEEDED', 'UNSUPPORTED', 'INVALID_ARGUMENT']);

function fuzz(seed: number, seeds: readonly Uint8Array[], decode: (bytes: Uint8Array) => void) {
  const next = random(seed);
  const ends = { decoded: 0, refused: 0 };
  for (let round = 0; round < 4000; round++) {
    try {
      decode(mutate(seeds, next));
      ends.decoded++;
    } catch (error) {
      if (!(error instanceof StreamsError) || !allowed.has(error.code)) throw error;
      ends.refused++;
    }
  }
  expect(ends.decoded).toBeGreaterThan(50);
  expect(ends.refused).toBeGreaterThan(50);
}

describe('hostile boxes end in an answer or a decode error:', () => {
  it('init segments', () => fuzz(1, inits, parseInitSegment));
  it('init segments to be merged', () => fuzz(2, inits, (bytes) => mergeInits([bytes, inits[1]!])));
  it('fragments', () =>
    fuzz(3, [fragment], (bytes) => {
      for (const track of parseFragment(bytes).tracks)
        for (const sample of track.samples) expect(sample.data.length).toBeLessThanOrEqual(bytes.length);
    }));
  it('fragments to be moved', () =>
    fuzz(4, [fragment], (bytes) => retimeFragment(bytes, { offset: -90000, trackId: 3, sequence: 1 })));
  it('streams', () =>
    fuzz(5, [concat([inits[0]!, fragment, fragment])], (bytes) =>
      new CmafSplitter({ maxBoxBytes: 1 << 20 }).push(bytes),
    ));
  it('streams to be taken apart by track', () =>
    fuzz(8, [concat([mergeInits(inits).bytes, fragment, fragment])], (bytes) =>
      new TrackSplitter().push(bytes, 1_795_000_000_000),
    ));
  it('avcC', () => fuzz(6, [config], parseAvcConfig));
  it.each([
    ['MSF', 9, encodeMsfCatalog(catalog, 0), decodeMsfCatalog],
    ['hang', 10, encodeHangCatalog(catalog), decodeHangCatalog],
  ])('catalogs of %s', (_, seed, bytes, decode) => fuzz(seed, [bytes], decode));
  it('catalogs', () =>
    fuzz(
      7,
      [
        encodeCatalog({
          version: 1,
          live: true,
          tracks: [{ name: 'a', kind: 'video', codec: 'avc1.64001e', width: 640 }],
        }),
      ],
      decodeCatalog,
    ));
});

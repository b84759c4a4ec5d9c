import { describe, expect, it } from 'vitest';
import { decodeAudioTag } from '../../src/codec/flv/audio-tag.ts';
import { FlvReader } from '../../src/codec/flv/flv-reader.ts';
import { decodeVideoTag } from '../../src/codec/flv/video-tag.ts';
import { decodeAmf0, encodeAmf0 } from '../../src/codec/rtmp/amf0.ts';
import { ChunkDecoder } from '../../src/codec/rtmp/chunk-decoder.ts';
import { encodeChunks } from '../../src/codec/rtmp/chunk-encoder.ts';
import { setChunkSize } from '../../src/codec/rtmp/control.ts';
import { concat, fromHex } from '../../src/core/bytes.ts';
import { StreamsError } from '../../src/core/errors.ts';
import { RtmpToUnits } from '../../src/engine/ingest/rtmp/to-units.ts';
import { mutate, random } from './random.ts';

const rounds = 5000;
const allowed = new Set(['MALFORMED', 'PROTOCOL_VIOLATION', 'LIMIT_EXCEEDED', 'UNSUPPORTED']);

/** Runs a decoder over mutated bytes; counts how it ended. Anything but an answer or a decode error fails the test. */
function fuzz(seed: number, seeds: readonly Uint8Array[], decode: (bytes: Uint8Array, next: () => number) => void) {
  const next = random(seed);
  const ends = { decoded: 0, refused: 0 };
  for (let round = 0; round < rounds; round++) {
    const bytes = mutate(seeds, next);
    try {
      decode(bytes, next);
      ends.decoded++;
    } catch (error) {
      if (!(error instanceof StreamsError) || !allowed.has(error.code)) throw error;
      ends.refused++;
    }
  }
  return ends;
}

const avcC = fromHex('0164001effe1001a6764001eacd980a02ff97011000003000100000300320f162d9a01000668e97892c8b0fdf8f800');
const video = [
  concat([fromHex('17 00 000000'), avcC]),
  fromHex('17 01 000050 00000002 6588'),
  concat([fromHex('90 61766331'), avcC]),
  fromHex('97 02 010203 03 61766331 00000002 6588'),
  fromHex('96 03 61766331 00 00000002 6588'),
];
const audio = [
  fromHex('af 00 1190'),
  fromHex('af 01 2100'),
  fromHex('90 6d703461 1190'),
  fromHex('95 01 6d703461 00 2100'),
];
const command = encodeAmf0('connect', 1, { app: 'live', list: [1, true, null, undefined, { deep: ['x'] }] });
const stream = concat([
  encodeChunks({ type: 20, streamId: 0, timestamp: 0, payload: command }, 3, 128),
  encodeChunks(setChunkSize(200), 2, 128),
  ...video.map((payload, i) => encodeChunks({ type: 9, streamId: 1, timestamp: i * 40, payload }, 4, 200)),
  encodeChunks({ type: 8, streamId: 1, timestamp: 0xffffff, payload: new Uint8Array(500) }, 6, 200),
]);

describe('hostile bytes', () => {
  it('as chunks end in messages or a decode error, in pieces of any size', () => {
    const ends = fuzz(1, [stream], (bytes, next) => {
      const decoder = new ChunkDecoder();
      for (let at = 0; at < bytes.length; ) {
        const step = 1 + Math.floor(next() * 100);
        for (const message of decoder.push(bytes.subarray(at, at + step)))
          expect(message.payload.length).toBeLessThanOrEqual(16 << 20);
        at += step;
      }
    });
    expect(ends.decoded).toBeGreaterThan(500);
    expect(ends.refused).toBeGreaterThan(500);
  });

  it('as AMF0 end in values or a decode error', () => {
    const ends = fuzz(2, [command], (bytes) => decodeAmf0(bytes));
    expect(ends.decoded).toBeGreaterThan(300);
    expect(ends.refused).toBeGreaterThan(300);
  });

  it('as tags end in tags or a decode error', () => {
    const ends = fuzz(3, [...video, ...audio], (bytes) => {
      decodeVideoTag(bytes);
      decodeAudioTag(bytes);
    });
    expect(ends.refused).toBeGreaterThan(500);
    expect(fuzz(4, audio, decodeAudioTag).decoded).toBeGreaterThan(500);
  });

  it('as messages end in units whose times never run backwards, or a decode error', () => {
    const next = random(5);
    let units = 0;
    for (let session = 0; session < 200; session++) {
      const made = new RtmpToUnits();
      const last = { video: Number.NEGATIVE_INFINITY, audio: Number.NEGATIVE_INFINITY };
      try {
        made.video(0, video[0]!, 0);
        made.audio(0, audio[0]!, 0);
        for (let i = 0; i < 50; i++) {
          const kind = next() < 0.5 ? 'video' : 'audio';
          const body =
            next() < 0.95 ? (kind === 'video' ? video[1]! : audio[1]!) : mutate(kind === 'video' ? video : audio, next);
          const timestamp = next() < 0.9 ? i * 20 : Math.floor(next() * 0x1_0000_0000);
          const unit = made.unit(kind, timestamp, body, 0);
          if (unit === undefined) continue;
          // A new configuration may come with another timescale.
          if (unit.config === undefined) expect(unit.dts).toBeGreaterThanOrEqual(last[kind]);
          expect(unit.pts).toBeGreaterThanOrEqual(unit.dts);
          last[kind] = unit.dts;
          units++;
        }
      } catch (error) {
        if (!(error instanceof StreamsError) || !allowed.has(error.code)) throw error;
      }
    }
    expect(units).toBeGreaterThan(2000);
  });

  it('as an FLV file end in tags or a decode error', () => {
    const file = fromHex(
      '464c56 01 05 00000009 00000000 08 000003 000015 00 000000 af01aa 0000000e 09 000002 000015 00 000000 1702 0000000d',
    );
    const ends = fuzz(6, [file], (bytes) => new FlvReader().push(bytes));
    expect(ends.decoded).toBeGreaterThan(300);
    expect(ends.refused).toBeGreaterThan(300);
  });
});

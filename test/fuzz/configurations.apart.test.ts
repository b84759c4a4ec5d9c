import { describe, expect, it } from 'vitest';
import { readObus, writeObus } from '../../src/codec/av1/obu.ts';
import { describeAudio, describeVideo } from '../../src/codec/cmaf/describe.ts';
import { parseInitSegment, writeInitSegment } from '../../src/codec/cmaf/init-segment.ts';
import { firstTrack } from '../../src/codec/flv/multitrack.ts';
import { HevcParameterSets } from '../../src/codec/hevc/parameter-sets.ts';
import { dOpsToOpusHead, opusHeadToDOps, writeOpusHead } from '../../src/codec/opus/opus-head.ts';
import { opusSamples } from '../../src/codec/opus/packet.ts';
import { splitOpusAccessUnits } from '../../src/codec/opus/ts-access-units.ts';
import { ByteReader, fromHex } from '../../src/core/bytes.ts';
import { StreamsError } from '../../src/core/errors.ts';
import { isoVideo } from '../../src/engine/ingest/iso-video.ts';
import { expectEqual } from './expect-equal.ts';
import { mutate, random } from './random.ts';

const allowed = new Set(['MALFORMED', 'LIMIT_EXCEEDED', 'UNSUPPORTED']);

/** Seeds of real encoders (x265, SVT-AV1, libvpx), and what must hold of a mutated one; throws are of the closed set. */
function fuzz(seeds: string[], rounds: number, run: (bytes: Uint8Array, next: () => number) => void): void {
  const next = random(31);
  const bytes = seeds.map(fromHex);
  const ends = { fine: 0, refused: 0 };
  for (let round = 0; round < rounds; round++) {
    try {
      run(round < bytes.length ? bytes[round]! : mutate(bytes, next), next);
      ends.fine++;
    } catch (error) {
      if (!(error instanceof StreamsError) || !allowed.has(error.code)) throw error;
      ends.refused++;
    }
  }
  expect(ends.fine).toBeGreaterThan(rounds / 50);
}

const vps = '40010c01ffff01600000030090000003000003003c959809';
const sps = '420101016000000300900000030000030' + '03ca00a080b9f79659a4932bc05a020000003002000000303c1';
const pps = '4401c172b46240';

describe('hostile configurations', () => {
  it.each([
    ['av1', ['81000c000a0b000000043cfecc02f80040', '81040c00']],
    ['vp9', ['000a820202020000', '0100000000 0a820202020000'.replaceAll(' ', '')]],
    ['vp8', ['000a820202020000']],
    ['h264', ['0164001effe1001a6764001eacd980a02ff97011000003000100000300320f162d9a01000668e97892c8b0fdf8f800']],
  ] as const)('%s: a record is described, or refused', (codec, seeds) => {
    fuzz([...seeds], 2000, (bytes) => {
      const { codec: name, size } = describeVideo(codec, bytes);
      expect(name).toMatch(/^[\w.]{9,64}$/);
      if (size !== undefined) expect(Math.max(size.width, size.height)).toBeLessThanOrEqual(16_384);
      const init = writeInitSegment({
        kind: 'video',
        codec,
        config: bytes,
        trackId: 1,
        timescale: 90_000,
        width: 16,
        height: 16,
      });
      expect(parseInitSegment(init)[0]).toMatchObject({ kind: 'video', width: 16 });
    });
  });

  it('HEVC parameter sets make a record that is read again, or are refused', () => {
    fuzz([vps, sps, pps], 4000, (bytes) => {
      const sets = new HevcParameterSets();
      for (const set of [vps, sps, pps]) sets.take(fromHex(set));
      sets.take(bytes);
      const config = sets.changedConfig()!;
      const { codec, size } = describeVideo('hevc', config);
      expect(codec).toMatch(/^hvc1\.[A-C]?\d+\.[0-9A-F]+\.[LH]\d+/);
      expect(size).toBeDefined();
    });
    fuzz([vps, sps, pps], 500, (bytes) => {
      const sets = new HevcParameterSets();
      for (const set of [vps, sps, pps]) sets.take(fromHex(set));
      const config = sets.changedConfig()!;
      config.set(bytes.subarray(0, 20), Math.min(bytes.length, config.length - 20));
      describeVideo('hevc', config);
    });
  });

  it('Opus heads become boxes and come back, or are refused', () => {
    const heads = [1, 2, 6, 8].map((channels) => Buffer.from(writeOpusHead(channels)).toString('hex'));
    fuzz(heads, 3000, (bytes) => {
      const { channels } = describeAudio('opus', bytes);
      expect(channels).toBeGreaterThan(0);
      expect(describeAudio('opus', dOpsToOpusHead(opusHeadToDOps(bytes)))).toMatchObject({ channels });
    });
    fuzz(
      heads.map((head) => Buffer.from(opusHeadToDOps(fromHex(head))).toString('hex')),
      3000,
      (bytes) => void dOpsToOpusHead(bytes),
    );
  });

  it('OBUs that are read are written the same again', () => {
    fuzz(
      ['1200 0a0b000000043cfeccfbf90040 3204140021f8'.replaceAll(' ', ''), '3601080102', '30aabb'],
      3000,
      (bytes) => {
        const obus = readObus(bytes);
        expectEqual(readObus(writeObus(obus)), obus);
      },
    );
  });

  it('samples of every codec end in pictures, or are refused', () => {
    const configs = {
      h264: '0164001effe1001a6764001eacd980a02ff97011000003000100000300320f162d9a01000668e97892c8b0fdf8f800',
      av1: '81040c00',
      vp9: '000a820202020000',
      vp8: '000a820202020000',
    };
    const samples = [
      '00000002 6588',
      '0a0b000000043cfeccfbf90040 3204140021f8',
      '82498342 00013f00b300',
      '5002009d012a4001b40000',
      '8600',
    ];
    for (const [codec, config] of Object.entries(configs))
      fuzz(
        samples.map((text) => text.replaceAll(' ', '')),
        1500,
        (bytes, next) => {
          const read = isoVideo(codec as keyof typeof configs, fromHex(config));
          const picture = read(bytes, next() < 0.5);
          if (picture !== undefined) expect(picture.codec).toBe(codec);
        },
      );
  });

  it('Opus in MPEG-TS and tracks of Enhanced RTMP are split, or are refused', () => {
    fuzz(
      ['7fe003fc0102 7ff0030138fd0304', '7fe0ff02', '7fec03010203fc0102'].map((text) => text.replaceAll(' ', '')),
      3000,
      (bytes) => {
        for (const packet of splitOpusAccessUnits(bytes)) {
          expect(packet.length).toBeGreaterThan(0);
          expect(opusSamples(packet)).toBeLessThanOrEqual(5760);
        }
      },
    );
    fuzz(['6d703461010000021190000000021190', '6d70346100000002'], 2000, (bytes, next) => {
      const track = firstTrack(new ByteReader(bytes), Math.floor(next() * 4));
      if (track !== undefined) expect(track.reader.remaining).toBeLessThanOrEqual(bytes.length);
    });
  });
});

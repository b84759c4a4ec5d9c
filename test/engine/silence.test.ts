import { describe, expect, it } from 'vitest';
import { parseFragment } from '../../src/codec/cmaf/fragment.ts';
import { parseInitSegment } from '../../src/codec/cmaf/init-segment.ts';
import { writeOpusHead } from '../../src/codec/opus/opus-head.ts';
import { concat, fromHex } from '../../src/core/bytes.ts';
import type { AudioUnit } from '../../src/core/media-unit.ts';
import { Packager } from '../../src/engine/package/from-units.ts';
import { silentFrame } from '../../src/engine/package/silence.ts';
import { expectAccepted } from './decodes.ts';

const avcC = fromHex('0164001effe1001a6764001eacd980a02ff97011000003000100000300320f162d9a01000668e97892c8b0fdf8f800');

function source(
  { codec, config }: Pick<AudioUnit, 'codec'> & { config: Uint8Array },
  frameLength: number,
  channels = 2,
) {
  const sound: Uint8Array[] = [];
  let init: Uint8Array | undefined;
  let begins = false;
  const packager = new Packager(
    {
      beginGroup: (track) => {
        if (track === 'audio') begins = true;
      },
      object: (track, payload) => {
        if (track !== 'audio') return;
        if (begins) init = payload;
        else sound.push(payload);
        begins = false;
      },
      catalog: () => {},
    },
    1_795_000_000_000,
  );
  const silence = silentFrame(codec, { channels }, frameLength)?.data;
  return {
    picture: (ms: number) =>
      packager.push({
        ...{ kind: 'video', codec: 'h264', timescale: 90_000, dts: ms * 90, pts: ms * 90, keyframe: ms % 1000 === 0 },
        ...{ data: fromHex('0000000165'), arrivedAt: ms, ...(ms === 0 && { config: avcC }) },
      }),
    /** The frames that begin in these 40 ms. */
    sound: (ms: number) => {
      for (let frame = Math.ceil((ms * 48) / frameLength); frame * frameLength < (ms + 40) * 48; frame++) {
        const dts = frame * frameLength;
        const data = silence === undefined ? fromHex('00') : concat([silence, fromHex('00')]);
        packager.push({
          ...{ kind: 'audio', codec, timescale: 48_000, dts, pts: dts, duration: frameLength },
          ...{ data, arrivedAt: ms, ...(frame === 0 && { config }) },
        });
      }
    },
    times: () => {
      const { timescale } = parseInitSegment(init!)[0]!;
      return sound.map((bytes) => {
        const { baseMediaDecodeTime, samples } = parseFragment(bytes).tracks[0]!;
        const at = baseMediaDecodeTime / timescale - 1_795_000_000;
        return { at, end: at + samples[0]!.duration / timescale, bytes: bytes.length };
      });
    },
    file: () => concat([init!, ...sound]),
  };
}

const aac = { codec: 'aac', config: fromHex('1190') } as const;
const opus = { codec: 'opus', config: writeOpusHead(2) } as const;

describe('sound that stops', () => {
  it.each([
    ['AAC', aac, 1024],
    ['Opus', opus, 960],
  ])('%s is replaced by silence, without hole or overlap, until it comes back', async (_, track, frameLength) => {
    const made = source(track, frameLength);
    for (let ms = 0; ms < 12_000; ms += 40) {
      made.picture(ms);
      if (ms < 4000 || ms >= 9000) made.sound(ms);
      const newest = made.times().at(-1)?.end ?? 0;
      if (ms > 0 && (ms < 4000 || ms > 5600)) expect(newest).toBeGreaterThan(ms / 1000 - 0.3);
    }
    const times = made.times();
    const holes = times.slice(1).map(({ at }, i) => at - times[i]!.end);
    expect(Math.max(...holes)).toBeLessThan(0.3);
    expect(Math.min(...holes)).toBeGreaterThan(-0.011);
    const silent = times.filter(({ bytes }) => bytes < times[0]!.bytes);
    expect(silent[0]!.at).toBeCloseTo(4, 1);
    expect(silent.at(-1)!.at).toBeCloseTo(8.78, 1);
    expect(times.at(-1)!.end).toBeCloseTo(12, 1);
    await expectAccepted(made.file(), 'format=duration:stream=codec_name,channels,nb_read_packets', ['-c', 'copy']);
  });

  it('that is only late loses its frames once', () => {
    const made = source(aac, 1024);
    made.sound(0);
    for (let ms = 0; ms < 12_000; ms += 40) {
      made.picture(ms);
      if (ms > 2500) made.sound(ms - 2500);
    }
    const times = made.times();
    const silent = times.filter(({ bytes }) => bytes < times[0]!.bytes);
    expect(silent.length).toBeGreaterThan(0);
    expect(silent.at(-1)!.at).toBeLessThan(3);
    expect(times.at(-1)!.end).toBeCloseTo(9.5, 1);
  });

  it('with the pictures is a pause, and no silence', () => {
    const made = source(aac, 1024);
    for (let ms = 0; ms < 2000; ms += 40) {
      made.picture(ms);
      made.sound(ms);
    }
    for (let ms = 11_000; ms < 12_000; ms += 40) {
      made.picture(ms);
      made.sound(ms);
    }
    const times = made.times();
    expect(times.filter(({ bytes }) => bytes < times[0]!.bytes)).toEqual([]);
  });

  it.each([1, 2, 3, 4, 5, 6])('is silence in AAC that decodes, with %i channels', async (channels) => {
    const { data } = silentFrame('aac', { channels }, 1024)!;
    const made = source({ codec: 'aac', config: Uint8Array.of(0x11, 0x80 | (channels << 3)) }, 1024, channels);
    made.sound(0);
    for (let ms = 0; ms < 3000; ms += 40) made.picture(ms);
    expect(data.length).toBeGreaterThan(5);
    const frames = made.times().length;
    expect(frames).toBeGreaterThan(100);
    const { streams } = await expectAccepted(
      made.file(),
      'format=duration:stream=codec_name,channels,nb_read_packets',
      ['-filter_complex', 'atrim=start_sample=4096'],
    );
    expect(streams[0]).toMatchObject({ codec_name: 'aac', channels });
  });
});

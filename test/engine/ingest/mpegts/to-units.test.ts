import { describe, expect, it } from 'vitest';
import { parseOpusHead } from '../../../../src/codec/opus/opus-head.ts';
import { concat, fromHex } from '../../../../src/core/bytes.ts';
import type { MediaUnit } from '../../../../src/core/media-unit.ts';
import { TsToUnits } from '../../../../src/engine/ingest/mpegts/to-units.ts';
import * as ts from '../../../codec/mpegts/build.ts';

const tables = concat([
  ts.association,
  ts.programMap([
    [0x1b, ts.videoPid],
    [0x0f, ts.audioPid],
  ]),
]);
const idr = fromHex('6588');
const delta = fromHex('419a');
const delimiter = fromHex('09f0');
const raw = (value: number) => new Uint8Array(20).fill(value);

/** Counts the packets of each PID, as a multiplexer does. */
class Mux {
  readonly #counts = new Map<number, number>();

  #packets(pid: number, pes: Uint8Array): Uint8Array {
    const first = this.#counts.get(pid) ?? 0;
    const packets = ts.packets(pid, pes, first & 15);
    this.#counts.set(pid, first + packets.length);
    return concat(packets);
  }

  video(pts: number, dts: number | undefined, ...nals: Uint8Array[]): Uint8Array {
    return this.#packets(ts.videoPid, ts.pes(0xe0, pts, dts, ts.annexB(...nals), true));
  }

  audio(pts: number, bytes: Uint8Array): Uint8Array {
    return this.#packets(ts.audioPid, ts.pes(0xc0, pts, undefined, bytes));
  }
}

function unitsOf(...parts: Uint8Array[]): MediaUnit[] {
  const made = new TsToUnits();
  return [...parts.flatMap((part) => made.push(part, 1)), ...made.flush(2)];
}

describe('MPEG-TS to units', () => {
  it('video begins with its parameter sets; times keep the sender’s 90 kHz, over the wrap of 33 bits', () => {
    const mux = new Mux();
    const wrap = 2 ** 33;
    const units = unitsOf(
      tables,
      mux.video(wrap - 3600, wrap - 7200, delta),
      mux.video(0, wrap - 3600, delimiter, ts.sps, ts.pps, idr),
      mux.video(7200, 0, delimiter, delta),
      mux.video(3600, undefined, delta, fromHex('0cffff')),
    );
    expect(units).toEqual([
      {
        kind: 'video',
        codec: 'h264',
        timescale: 90_000,
        dts: -3600,
        pts: 0,
        keyframe: true,
        data: fromHex('00000002 6588'),
        config: ts.avcConfig,
        arrivedAt: 1,
      },
      expect.objectContaining({ dts: 0, pts: 7200, keyframe: false, data: fromHex('00000002 419a') }),
      expect.objectContaining({ dts: 3600, pts: 3600, data: fromHex('00000002 419a'), arrivedAt: 2 }),
    ]);
  });

  it('gives a configuration again when the parameter sets change', () => {
    const mux = new Mux();
    const other = ts.pps.slice();
    other[other.length - 1] = 0xb1;
    const units = unitsOf(
      tables,
      mux.video(0, undefined, ts.sps, ts.pps, idr),
      mux.video(3600, undefined, ts.sps, ts.pps, idr),
      mux.video(7200, undefined, ts.sps, other, idr),
    );
    expect(units.map((unit) => unit.config !== undefined)).toEqual([true, false, true]);
  });

  it('audio frames follow each other by their samples, also when a PES packet ends inside one', () => {
    const mux = new Mux();
    const all = concat([1, 2, 3, 4].map((value) => ts.adts(raw(value))));
    const units = unitsOf(tables, mux.audio(90_000, all.subarray(0, 40)), mux.audio(93_841, all.subarray(40)));
    expect(units.map((unit) => [unit.dts, unit.data[0]])).toEqual([
      [48_000, 1],
      [49_024, 2],
      [50_048, 3],
      [51_072, 4],
    ]);
    expect(units[0]).toMatchObject({ codec: 'aac', timescale: 48_000, duration: 1024, config: fromHex('1190') });
    expect(units[1]!.config).toBeUndefined();
  });

  it('forgets half a frame when what follows it is lost', () => {
    const mux = new Mux();
    const all = concat([1, 2].map((value) => ts.adts(raw(value))));
    const made = new TsToUnits();
    made.push(tables, 0);
    expect(made.push(mux.audio(0, all.subarray(0, 40)), 0)).toHaveLength(1);
    mux.audio(1920, all.subarray(40));
    made.gap();
    const after = made.push(mux.audio(90_000, ts.adts(raw(9))), 0);
    expect(after.map((unit) => [unit.dts, unit.data])).toEqual([[48_000, raw(9)]]);
  });

  it('Opus packets of one PES packet follow each other, with the channels of the descriptor', () => {
    const mux = new Mux();
    const map = ts.programMap([[0x06, ts.audioPid, '05044f707573 7f028006']]);
    const header = '7fe0 03';
    const trimmed = '7ff0 03 0138';
    const units = unitsOf(
      ts.association,
      map,
      mux.audio(90_000, fromHex(`${trimmed} fc0102 ${header} fd0304`)),
      mux.audio(90_000 + 5400, fromHex(`${header} fc0506 7fe0 ff`)),
    );
    expect(units.map((unit) => [unit.dts, unit.kind === 'audio' && unit.duration, unit.data])).toEqual([
      [48_000, 960, fromHex('fc0102')],
      [48_960, 1920, fromHex('fd0304')],
      [50_880, 960, fromHex('fc0506')],
    ]);
    expect(units[0]).toMatchObject({ codec: 'opus', timescale: 48_000 });
    expect(parseOpusHead(units[0]!.config!)).toMatchObject({ channels: 6 });
  });

  it('names the streams it leaves out, once', () => {
    const made = new TsToUnits();
    const map = ts.programMap([
      [0x1b, ts.videoPid],
      [0x81, 0x102],
      [0x86, 0x103],
    ]);
    made.push(concat([ts.association, map]), 0);
    expect(made.newlyIgnored()).toEqual(['AC-3', 'SCTE-35']);
    made.push(map, 0);
    expect(made.newlyIgnored()).toEqual([]);
  });

  it('refuses a programme of nothing it carries', () => {
    expect(() =>
      unitsOf(
        ts.association,
        ts.programMap([
          [0x02, ts.videoPid],
          [0x03, ts.audioPid],
        ]),
      ),
    ).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED', message: expect.stringContaining('MPEG-2 video, MPEG-1 audio') }),
    );
  });
});

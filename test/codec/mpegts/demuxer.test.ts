import { describe, expect, it } from 'vitest';
import { splitAdts } from '../../../src/codec/aac/adts.ts';
import { splitAnnexB, withLengths } from '../../../src/codec/h264/annex-b.ts';
import { ParameterSets } from '../../../src/codec/h264/parameter-sets.ts';
import { TsDemuxer } from '../../../src/codec/mpegts/demuxer.ts';
import { PacketSplitter } from '../../../src/codec/mpegts/packet.ts';
import { PesAssembler, parsePes } from '../../../src/codec/mpegts/pes.ts';
import { crc32Mpeg } from '../../../src/codec/mpegts/section.ts';
import { concat, fromHex, hex, utf8 } from '../../../src/core/bytes.ts';
import * as ts from './build.ts';

const filled = (length: number, value: number) => new Uint8Array(length).fill(value);
const map = ts.programMap([
  [0x1b, ts.videoPid],
  [0x0f, ts.audioPid],
]);

describe('MPEG-TS', () => {
  it('gives the PES packets of the streams that the tables name', () => {
    const video = ts.packets(ts.videoPid, ts.pes(0xe0, 2 ** 33 - 1, 2 ** 33 - 3601, filled(500, 1), true));
    const next = ts.packets(ts.videoPid, ts.pes(0xe0, 0, undefined, filled(3, 2), true), video.length);
    const audio = ts.packets(ts.audioPid, ts.pes(0xc0, 2 ** 32 + 5, undefined, filled(300, 3)));
    const stray = ts.packet(0x1fff, false, 0, filled(184, 0xff));
    const bytes = concat([ts.association, map, ...video, stray, ...audio, ...next]);
    const demuxer = new TsDemuxer();
    // In pieces that have nothing to do with packets.
    const found = [];
    for (let at = 0; at < bytes.length; at += 100) found.push(...demuxer.push(bytes.subarray(at, at + 100)));
    found.push(...demuxer.flush());
    expect(found).toEqual([
      {
        pid: ts.audioPid,
        codec: 'aac-adts',
        pts: 2 ** 32 + 5,
        dts: 2 ** 32 + 5,
        data: filled(300, 3),
        afterLoss: false,
        channels: 0,
      },
      {
        pid: ts.videoPid,
        codec: 'h264',
        pts: 2 ** 33 - 1,
        dts: 2 ** 33 - 3601,
        data: filled(500, 1),
        afterLoss: false,
        channels: 0,
      },
      { pid: ts.videoPid, codec: 'h264', pts: 0, dts: 0, data: filled(3, 2), afterLoss: false, channels: 0 },
    ]);
    expect(demuxer.lostPackets).toBe(0);
  });

  it('names what it does not carry, and knows Opus by its registration', () => {
    const demuxer = new TsDemuxer();
    const opus = hex(utf8('Opus'));
    demuxer.push(
      concat([
        ts.association,
        ts.programMap([
          [0x02, 0x100],
          [0x06, 0x101, `0504${opus}`],
          [0x06, 0x102],
          [0x24, 0x103],
        ]),
        map,
      ]),
    );
    expect([...demuxer.unsupported]).toEqual([0x02, 0x06]);
    expect(demuxer.tracks).toBe(2);
  });

  it('drops a PES packet that a loss has torn, and says so with the next', () => {
    const long = ts.packets(ts.videoPid, ts.pes(0xe0, 0, undefined, filled(1000, 1), true));
    const next = ts.packets(ts.videoPid, ts.pes(0xe0, 3600, undefined, filled(3, 2), true), long.length);
    const demuxer = new TsDemuxer();
    demuxer.push(concat([ts.association, map]));
    expect(demuxer.push(concat([...long.slice(0, 2), ...long.slice(3), ...next]))).toEqual([]);
    expect(demuxer.flush()).toMatchObject([{ pts: 3600, afterLoss: true }]);
    expect(demuxer.lostPackets).toBe(1);
  });

  it('drops what a gap has torn even where the counters do not show it', () => {
    const long = ts.packets(ts.videoPid, ts.pes(0xe0, 0, undefined, filled(184 * 30, 1), true));
    const demuxer = new TsDemuxer();
    demuxer.push(concat([ts.association, map, ...long.slice(0, 4)]));
    demuxer.gap();
    demuxer.push(concat(long.slice(20)));
    expect(demuxer.flush()).toEqual([]);
  });

  it('takes a packet that is sent twice once', () => {
    const video = ts.packets(ts.videoPid, ts.pes(0xe0, 0, undefined, filled(400, 1), true));
    const demuxer = new TsDemuxer();
    demuxer.push(concat([ts.association, map, ...video.flatMap((each) => [each, each])]));
    expect(demuxer.flush()[0]!.data).toEqual(filled(400, 1));
  });

  it('finds its place again after stray bytes', () => {
    const splitter = new PacketSplitter();
    const packets = splitter.push(concat([filled(77, 0x11), ts.association, map]));
    expect(packets.map((each) => each.pid)).toEqual([0, ts.mapPid]);
    expect(splitter.skippedBytes).toBe(77);
  });

  it('ignores tables that are damaged or not yet valid', () => {
    const damaged = map.slice();
    damaged[187] = damaged[187]! ^ 1;
    const demuxer = new TsDemuxer();
    demuxer.push(concat([ts.association, damaged]));
    expect(demuxer.tracks).toBe(0);
    expect(crc32Mpeg(utf8('123456789'))).toBe(0x0376e6e7);
  });

  it('bounds a PES packet that never ends', () => {
    const assembler = new PesAssembler(1000);
    const start = {
      start: true,
      continuity: 0,
      discontinuity: false,
      payload: ts.pes(0xe0, 0, undefined, filled(100, 1), true),
    };
    assembler.push(start);
    for (let i = 1; i < 100; i++)
      assembler.push({ start: false, continuity: i & 15, discontinuity: false, payload: filled(184, 1) });
    expect(assembler.droppedPes).toBe(1);
    expect(assembler.flush()).toBeUndefined();
  });

  it('refuses PES headers that are cut or have no time', () => {
    const whole = ts.pes(0xe0, 90_000, 86_400, new Uint8Array(0));
    expect(parsePes(whole)).toEqual({ pts: 90_000, dts: 86_400, data: new Uint8Array(0) });
    for (let end = 0; end < whole.length; end++) expect(parsePes(whole.subarray(0, end))).toBeUndefined();
    expect(parsePes(fromHex('000001e0 0003 80 00 00'))).toBeUndefined();
  });
});

describe('ADTS', () => {
  const one = ts.adts(filled(5, 1));
  const two = ts.adts(filled(9, 2));

  it('gives raw frames with their configuration, and the rest of one that is not whole', () => {
    const bytes = concat([one, two]);
    const { frames, rest } = splitAdts(bytes.subarray(0, bytes.length - 1));
    expect(frames).toEqual([{ config: fromHex('1190'), data: filled(5, 1) }]);
    expect(rest).toEqual(two.subarray(0, two.length - 1));
  });

  it('passes over what is no header', () => {
    const { frames } = splitAdts(concat([filled(3, 0xff), fromHex('fff1fc00001ffc'), one]));
    expect(frames.map((frame) => frame.data.length)).toEqual([5]);
  });
});

describe('H.264 byte stream', () => {
  it.each([
    [
      'three and four byte start codes, trailing zeros',
      '000001 6501 00000001 6702 0000 000001 68',
      ['6501', '6702', '68'],
    ],
    ['zeros inside', '000001 65 0000 02 000003 01', ['65000002 00000301']],
    ['nothing without a start code', '650102', []],
    ['empty units', '000001 000001 000001 65', ['65']],
  ])('%s', (_name, bytes, units) => {
    expect(splitAnnexB(fromHex(bytes)).map(hex)).toEqual(units.map((unit) => hex(fromHex(unit))));
  });

  it('units get lengths', () => {
    expect(hex(withLengths([fromHex('6501'), fromHex('06')]))).toBe('00000002650100000001' + '06');
  });

  it('parameter sets become a record, once for each change', () => {
    const sets = new ParameterSets();
    expect(sets.take(ts.sps)).toBe(true);
    expect(sets.changedConfig()).toBeUndefined();
    expect(sets.take(ts.pps)).toBe(true);
    expect(sets.take(fromHex('6588'))).toBe(false);
    expect(hex(sets.changedConfig()!)).toBe(hex(ts.avcConfig));
    sets.take(ts.sps);
    expect(sets.changedConfig()).toBeUndefined();
    const other = ts.pps.slice();
    other[other.length - 1] = 0xb1;
    sets.take(other);
    expect(hex(sets.changedConfig()!)).toContain(hex(other));
  });

  it('a parameter set that is none is refused', () => {
    expect(() => new ParameterSets().take(fromHex('67'))).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
  });
});

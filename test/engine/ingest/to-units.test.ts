import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { FlvReader } from '../../../src/codec/flv/flv-reader.ts';
import { concat, fromHex } from '../../../src/core/bytes.ts';
import { silentLogger } from '../../../src/core/log.ts';
import type { MediaUnit } from '../../../src/core/media-unit.ts';
import { loopLength } from '../../../src/engine/ingest/demo/flv-loop.ts';
import { startDemoSource } from '../../../src/engine/ingest/demo/to-units.ts';
import { RtmpToUnits } from '../../../src/engine/ingest/rtmp/to-units.ts';
import { demoFile, until } from '../harness.ts';

const avcC = '0164001effe1001a6764001eacd980a02ff97011000003000100000300320f162d9a01000668e97892c8b0fdf8f800';
const idr = '00000002 6588';

describe('RTMP messages to units', () => {
  it.each([
    ['legacy', `17 00 000000 ${avcC}`, `17 01 000050 ${idr}`],
    ['enhanced', `90 61766331 ${avcC}`, `91 61766331 000050 ${idr}`],
  ])('H.264, %s', (_name, config, frame) => {
    const units = new RtmpToUnits();
    expect(units.video(0, fromHex(config), 1)).toBeUndefined();
    expect(units.video(40, fromHex(frame), 2)).toEqual({
      kind: 'video',
      codec: 'h264',
      timescale: 90_000,
      dts: 3600,
      pts: 10_800,
      keyframe: true,
      data: fromHex(idr),
      config: fromHex(avcC),
      arrivedAt: 2,
    });
    expect(units.video(80, fromHex(frame), 3)).not.toHaveProperty('config');
  });

  it('AAC follows the count of its samples, not the rounded timestamps', () => {
    const units = new RtmpToUnits();
    units.audio(0, fromHex('af00 1190'), 0);
    const dts = [0, 21, 43, 64, 85, 107].map((time) => units.audio(time, fromHex('af01 2100'), 0)!.dts);
    expect(dts).toEqual([0, 1024, 2048, 3072, 4096, 5120]);
  });

  it('AAC gives way to the timestamps after a gap, and loses frames that are too many', () => {
    const units = new RtmpToUnits();
    units.audio(0, fromHex('af00 1190'), 0);
    const at = (time: number) => units.audio(time, fromHex('af01 2100'), 0)?.dts;
    expect(at(0)).toBe(0);
    expect(at(500)).toBe(24_000);
    const crowded = Array.from({ length: 20 }, () => at(500));
    expect(crowded.filter((dts) => dts === undefined).length).toBeGreaterThan(10);
    const kept = crowded.filter((dts) => dts !== undefined);
    expect(kept.every((dts, i) => i === 0 || dts > kept[i - 1]!)).toBe(true);
  });

  it('a P picture marked as keyframe is none', () => {
    const units = new RtmpToUnits();
    units.video(0, fromHex(`17 00 000000 ${avcC}`), 0);
    expect(units.video(0, fromHex('17 01 000000 00000002 419a'), 0)).toMatchObject({ keyframe: false });
  });

  it('a NAL unit that claims more than there is is MALFORMED', () => {
    const units = new RtmpToUnits();
    units.video(0, fromHex(`17 00 000000 ${avcC}`), 0);
    expect(() => units.video(0, fromHex('17 01 000000 000000ff 6588'), 0)).toThrow(
      expect.objectContaining({ code: 'MALFORMED' }),
    );
  });

  it.each([
    ['flac', '90 664c6143 00'],
    ['ac3', '91 61632d33 00'],
  ])('names the codec it does not take: %s', (codec, bytes) => {
    expect(() => new RtmpToUnits().audio(0, fromHex(bytes), 0)).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED', message: expect.stringContaining(codec) }),
    );
  });

  it('keeps negative composition offsets, and drops absurd ones', () => {
    const units = new RtmpToUnits();
    units.video(0, fromHex(`17 00 000000 ${avcC}`), 0);
    expect(units.video(80, fromHex(`27 01 ffffd8 ${idr}`), 0)).toMatchObject({ dts: 7200, pts: 3600 });
    expect(units.video(120, fromHex(`27 01 7fffff ${idr}`), 0)).toMatchObject({ dts: 10_800, pts: 10_800 });
  });

  it('goes on over the wrap of the timestamps, and steps over a jump', () => {
    const units = new RtmpToUnits();
    units.video(0, fromHex(`17 00 000000 ${avcC}`), 0);
    const at = (time: number) => units.video(time, fromHex(`17 01 000000 ${idr}`), 0)!.dts / 90;
    expect([0xffff_ffd8, 0, 40].map(at)).toEqual([-40, 0, 40]);
    expect([3_600_000, 3_600_040].map(at)).toEqual([80, 120]);
    expect(at(40)).toBe(160);
  });

  it('takes Opus in packets of any length, from Enhanced RTMP', () => {
    const units = new RtmpToUnits();
    const head = '4f70757348656164 01 02 3801 80bb0000 0000 00';
    units.audio(0, fromHex(`90 4f707573 ${head}`), 0);
    const twenty = '91 4f707573 fc0102';
    const forty = '91 4f707573 fd0102';
    const made = [
      units.audio(0, fromHex(twenty), 0),
      units.audio(20, fromHex(forty), 0),
      units.audio(60, fromHex(twenty), 0),
    ];
    expect(made.map((unit) => [unit!.dts, unit!.duration])).toEqual([
      [0, 960],
      [960, 1920],
      [2880, 960],
    ]);
    expect(made[0]).toMatchObject({ codec: 'opus', timescale: 48_000, config: fromHex(head) });
    expect(made[1]).not.toHaveProperty('config');
  });

  it('passes over tracks but the first, whatever they are coded with', () => {
    const units = new RtmpToUnits();
    expect(units.audio(0, fromHex('95 01 61632d33 01 aabb'), 0)).toBeUndefined();
    expect(units.audio(0, fromHex('95 21 61632d33 01 000002 aabb 664c6143 02 000001 aa'), 0)).toBeUndefined();
    expect(units.video(0, fromHex('96 01 12345678 03 aabb'), 0)).toBeUndefined();
    units.audio(0, fromHex('95 10 6d703461 01 000002 1190 00 000002 1190'), 0);
    expect(units.audio(0, fromHex('95 11 6d703461 00 000002 2100 01 000001 aa'), 0)).toMatchObject({
      codec: 'aac',
      data: fromHex('2100'),
    });
  });
});

describe('the demo', () => {
  it('file loops without a seam', async () => {
    const tags = new FlvReader().push(await readFile(demoFile));
    const length = loopLength(tags);
    expect(length).toBe(8000);
    const units = new RtmpToUnits();
    const all: MediaUnit[] = [];
    for (const round of [0, 1, 2])
      for (const tag of tags) {
        if (tag.type === 'data') continue;
        const unit = units.unit(tag.type, tag.timestamp + round * length, tag.body, 0);
        if (unit !== undefined) all.push(unit);
      }
    for (const [kind, step, count] of [
      ['video', 3600, 600],
      ['audio', 1024, 1125],
    ] as const) {
      const times = all.filter((unit) => unit.kind === kind).map((unit) => unit.dts);
      expect(times).toHaveLength(count);
      expect(new Set(times.slice(1).map((time, i) => time - times[i]!))).toEqual(new Set([step]));
    }
  });

  it('file plays in real time', async () => {
    const units: MediaUnit[] = [];
    const started = performance.now();
    const stop = await startDemoSource({ file: demoFile, push: (unit) => units.push(unit), logger: silentLogger });
    try {
      const media = () => {
        const times = units.filter((unit) => unit.kind === 'video').map((unit) => unit.dts / 90);
        return times.length === 0 ? 0 : times.at(-1)! - times[0]!;
      };
      await until(() => media() >= 1000, 'a second of media');
      const took = performance.now() - started;
      expect(took).toBeGreaterThan(950);
      expect(took - media()).toBeLessThan(1000);
    } finally {
      stop();
    }
  });

  it('picture of ffmpeg arrives, and ffmpeg goes when it is told to', async () => {
    const units: MediaUnit[] = [];
    const stop = await startDemoSource({ push: (unit) => units.push(unit), logger: silentLogger });
    try {
      await until(
        () =>
          units.some((unit) => unit.kind === 'video' && unit.keyframe) && units.some((unit) => unit.kind === 'audio'),
        'picture and sound',
        10_000,
      );
      expect(units.find((unit) => unit.config !== undefined)).toBeDefined();
    } finally {
      stop();
    }
  });

  it('falls back to the file when ffmpeg does not work', async () => {
    const units: MediaUnit[] = [];
    const log: string[] = [];
    const logger = { ...silentLogger, warn: (message: string) => void log.push(message) };
    const stop = await startDemoSource({ ffmpeg: '/bin/false', push: (unit) => units.push(unit), logger });
    try {
      await until(() => units.length > 3, 'media of the file');
      expect(log).toHaveLength(2);
    } finally {
      stop();
    }
  });
});

describe('units', () => {
  it('of an encoder with NAL lengths of two bytes get four', () => {
    const units = new RtmpToUnits();
    const config = fromHex(avcC);
    config[4] = 0xfd;
    units.video(0, concat([fromHex('17 00 000000'), config]), 0);
    const unit = units.video(0, fromHex('17 01 000000 0002 6588'), 0);
    expect(unit).toMatchObject({ data: fromHex(idr), keyframe: true, config: fromHex(avcC) });
  });
});

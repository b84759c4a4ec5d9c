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
    expect(units.video(0, fromHex('17 01 000000 00000002 4188'), 0)).toMatchObject({ keyframe: false });
  });

  it('a NAL unit that claims more than there is is MALFORMED', () => {
    const units = new RtmpToUnits();
    units.video(0, fromHex(`17 00 000000 ${avcC}`), 0);
    expect(() => units.video(0, fromHex('17 01 000000 000000ff 6588'), 0)).toThrow(
      expect.objectContaining({ code: 'MALFORMED' }),
    );
  });

  it.each([
    ['hevc', '90 68766331 00'],
    ['av1', '90 61763031 00'],
  ])('names the codec it does not take: %s', (codec, bytes) => {
    expect(() => new RtmpToUnits().video(0, fromHex(bytes), 0)).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED', message: expect.stringContaining(codec) }),
    );
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

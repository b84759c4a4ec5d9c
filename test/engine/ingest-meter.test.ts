import { expect, it } from 'vitest';
import type { MediaUnit } from '../../src/core/media-unit.ts';
import { IngestMeter } from '../../src/engine/ingest-meter.ts';

const video = (dts: number, keyframe: boolean): MediaUnit => ({
  kind: 'video',
  codec: 'h264',
  timescale: 1000,
  dts,
  pts: dts,
  keyframe,
  data: new Uint8Array(1000),
  arrivedAt: 0,
});
const audio: MediaUnit = {
  kind: 'audio',
  codec: 'aac',
  timescale: 48_000,
  dts: 0,
  pts: 0,
  duration: 1024,
  data: new Uint8Array(250),
  arrivedAt: 0,
};

it('measures bits and frames a second, and the distance of keyframes', () => {
  const meter = new IngestMeter(0);
  for (let i = 0; i < 50; i++) meter.push(video(i * 40, i % 25 === 0), i * 40);
  for (let i = 0; i < 8; i++) meter.push(audio, 1960);
  expect(meter.read(999)).toBeUndefined();
  const figures = { bitrate: (52_000 * 8) / 2, fps: 25, keyframeIntervalMs: 1000, driftMs: 0, avSkewMs: 1960 };
  expect(meter.read(2000)).toEqual(figures);
  meter.push(video(2000, true), 2050);
  expect(meter.read(2500)).toEqual(figures); // the window is not over
  expect(meter.read(4000)).toMatchObject({ bitrate: 4000, fps: 0.5, keyframeIntervalMs: 1000, driftMs: -50 });
  expect(meter.read(5000)).toMatchObject({ bitrate: 0, fps: 0, keyframeIntervalMs: 1000 });
});

it('takes a source that begins again at zero', () => {
  const meter = new IngestMeter(0);
  for (const at of [90_000, 92_000, 0, 1500]) meter.push(video(at, true), 0);
  expect(meter.read(1000)?.keyframeIntervalMs).toBe(1500);
});

it('tells a clock that runs fast from one that was replaced', () => {
  const meter = new IngestMeter(0);
  for (let ms = 0; ms <= 10_000; ms += 100) meter.push(video(ms * 1.01, true), ms);
  expect(meter.read(10_000)).toMatchObject({ driftMs: 100, avSkewMs: null });
  meter.restart();
  meter.push(video(500, true), 11_000);
  expect(meter.read(12_000)).toMatchObject({ driftMs: 0, avSkewMs: null });
});

it('measures sound alone, and its distance from the pictures', () => {
  const meter = new IngestMeter(0);
  const sound = (ms: number): MediaUnit => ({ ...audio, dts: ms * 48 });
  meter.push(sound(0), 0);
  meter.push(sound(990), 1000);
  expect(meter.read(1000)).toMatchObject({ driftMs: -10, avSkewMs: null, fps: 0 });
  meter.push(video(1040, true), 1000);
  meter.push(sound(1000), 1000);
  expect(meter.read(2000)).toMatchObject({ driftMs: 0, avSkewMs: 40 });
});

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
  for (let i = 0; i < 50; i++) meter.push(video(i * 40, i % 25 === 0));
  for (let i = 0; i < 8; i++) meter.push(audio);
  expect(meter.read(999)).toBeUndefined();
  const figures = { bitrate: (52_000 * 8) / 2, fps: 25, keyframeIntervalMs: 1000 };
  expect(meter.read(2000)).toEqual(figures);
  meter.push(video(2000, true));
  expect(meter.read(2500)).toEqual(figures); // the window is not over
  expect(meter.read(4000)).toEqual({ bitrate: 4000, fps: 0.5, keyframeIntervalMs: 1000 });
  expect(meter.read(5000)).toEqual({ bitrate: 0, fps: 0, keyframeIntervalMs: 1000 });
});

it('takes a source that begins again at zero', () => {
  const meter = new IngestMeter(0);
  for (const at of [90_000, 92_000, 0, 1500]) meter.push(video(at, true));
  expect(meter.read(1000)?.keyframeIntervalMs).toBe(1500);
});

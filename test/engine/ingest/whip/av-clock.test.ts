import { describe, expect, it } from 'vitest';
import { AvClock } from '../../../../src/engine/ingest/whip/av-clock.ts';

/** NTP time of some seconds. */
const ntp = (seconds: number) => (BigInt(Math.floor(seconds)) << 32n) + BigInt(Math.round((seconds % 1) * 2 ** 32));

/** A sender whose clocks begin anywhere, and whose video comes `late` seconds after its sound. */
function sender(late: number) {
  const clock = new AvClock();
  const [videoStart, audioStart] = [4_294_960_000, 77_000];
  return {
    clock,
    audio: (second: number) => clock.map('audio', (audioStart + Math.round(second * 48_000)) >>> 0, second * 1000),
    video: (second: number) =>
      clock.map('video', (videoStart + Math.round(second * 90_000)) >>> 0, (second + late) * 1000),
    reports: (second: number) => {
      clock.senderReport('audio', ntp(1000 + second), (audioStart + Math.round(second * 48_000)) >>> 0);
      clock.senderReport('video', ntp(1000 + second), (videoStart + Math.round(second * 90_000)) >>> 0);
    },
  };
}

describe('AvClock', () => {
  it('guesses from arrival until sender reports tell, then moves video a little with each frame', () => {
    const made = sender(0.06);
    const offsets: number[] = [];
    for (let frame = 0; frame < 150; frame++) {
      const second = frame / 30;
      if (frame === 30) made.reports(second);
      const audio = made.audio(second);
      offsets.push(made.video(second) - audio);
    }
    expect(offsets[0]).toBeCloseTo(0.06, 3);
    expect(offsets[29]).toBeCloseTo(0.06, 3);
    expect(offsets[149]).toBeCloseTo(0, 3);
    for (let i = 1; i < offsets.length; i++) expect(Math.abs(offsets[i]! - offsets[i - 1]!)).toBeLessThan(0.0021);
  });

  it('jumps forward over a difference that is no jitter', () => {
    const made = sender(-2);
    made.audio(0);
    expect(made.video(0)).toBeCloseTo(-2, 3);
    made.reports(0);
    expect(made.video(0.033) - made.audio(0.033)).toBeCloseTo(0, 3);
  });

  it('goes at half its pace where video was put too late, and never stands still', () => {
    const made = sender(1.5);
    const times: number[] = [];
    for (let frame = 0; frame < 200; frame++) {
      const second = frame / 30;
      made.audio(second);
      times.push(made.video(second));
      if (frame === 0) made.reports(0);
    }
    const steps = times.slice(1).map((time, i) => time - times[i]!);
    expect(Math.min(...steps)).toBeGreaterThan(0.016);
    expect(made.video(199 / 30) - made.audio(199 / 30)).toBeLessThan(0.35);
  });

  it('keeps the tracks together when the clocks of two devices drift apart', () => {
    const made = sender(0);
    const drift = 1.0002;
    let off = 0;
    for (let frame = 0; frame < 30 * 600; frame++) {
      const second = frame / 30;
      // Sound by a clock that is fast by 0.2 ms each second: 120 ms after ten minutes.
      const audio = made.clock.map('audio', Math.round(second * drift * 48_000) >>> 0, second * 1000);
      if (frame % 30 === 0) {
        made.clock.senderReport('audio', ntp(1000 + second), Math.round(second * drift * 48_000) >>> 0);
        made.clock.senderReport('video', ntp(1000 + second), (4_294_960_000 + Math.round(second * 90_000)) >>> 0);
      }
      off = made.video(second) - audio;
    }
    expect(Math.abs(off)).toBeLessThan(0.02);
  });

  it('survives reports of nonsense', () => {
    const made = sender(0);
    made.audio(0);
    made.video(0);
    made.clock.senderReport('audio', 2n ** 64n - 1n, 0xffff_ffff);
    made.clock.senderReport('video', 0n, 5);
    made.clock.senderReport('video', 1n, 0x8000_0000);
    expect(Number.isFinite(made.video(0.1))).toBe(true);
  });
});

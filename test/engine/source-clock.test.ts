import { describe, expect, it } from 'vitest';
import { SourceClock } from '../../src/engine/ingest/source-clock.ts';

const map = (steps: [string, number][]) => {
  const clock = new SourceClock();
  return steps.map(([track, timestamp]) => clock.map(track, timestamp >>> 0));
};

describe('SourceClock', () => {
  it('goes on over the wrap of 32 bits, for both tracks', () => {
    const out = map([
      ['v', -40],
      ['a', -30],
      ['v', 0],
      ['a', 10],
      ['v', 40],
    ]);
    expect(out.map((time) => time - out[0]!)).toEqual([0, 10, 40, 50, 80]);
  });

  it('goes on over the wrap of 31 bits', () => {
    const out = map([
      ['v', 0x7fffffe0],
      ['v', 0x80000008],
      ['v', 0x80000030],
    ]);
    expect(out.map((time) => time - out[0]!)).toEqual([0, 40, 80]);
  });

  it('turns a jump forward into one frame, and keeps the tracks together', () => {
    const hour = 3_600_000;
    const out = map([
      ['v', 0],
      ['a', 5],
      ['v', 40],
      ['v', hour],
      ['a', hour + 5],
      ['v', hour + 40],
    ]);
    expect(out).toEqual([0, 5, 40, 80, 85, 120]);
  });

  it('turns a jump back into one frame, also while the tracks disagree about it', () => {
    const out = map([
      ['v', 100_000],
      ['a', 100_010],
      ['v', 100_040],
      ['v', 0],
      ['a', 100_031],
      ['v', 40],
      ['a', 31],
      ['v', 80],
      ['a', 52],
    ]);
    const video = [0, 2, 3, 5, 7].map((i) => out[i]!);
    for (let i = 1; i < video.length; i++) expect(video[i]! - video[i - 1]!).toBeGreaterThan(0);
    expect(Math.max(...out) - out[0]!).toBeLessThan(400);
    expect(out[7]! - out[8]!).toBe(28);
  });

  it('lets a track pause while another goes on', () => {
    const steps: [string, number][] = [['a', 0]];
    for (let time = 0; time <= 30_000; time += 1000) steps.push(['v', time]);
    steps.push(['a', 30_000]);
    expect(map(steps).at(-1)).toBe(30_000);
  });

  it('holds still for small steps back', () => {
    expect(
      map([
        ['v', 100],
        ['v', 90],
        ['v', 140],
      ]),
    ).toEqual([100, 100, 140]);
  });

  for (const [name, apart] of [
    ['21 days later', 1_814_400_000],
    ['12 s later', 12_000],
    ['12 s earlier', -12_000],
    ['before the wrap', 0xffffffff - 50_000],
  ] as const)
    it(`joins a track that counts from ${name}, once`, () => {
      const steps: [string, number][] = [];
      for (let time = 0; time < 12_000; time += 40) steps.push(['v', time], ['a', time + 11 + apart]);
      const out = map(steps);
      const of = (track: string) => out.filter((_, i) => steps[i]![0] === track);
      for (const times of [of('v'), of('a')]) {
        expect(times.at(-1)! - times[0]!).toBe(11_960);
        expect(new Set(times.slice(1).map((time, i) => time - times[i]!))).toEqual(new Set([40]));
      }
      expect(Math.abs(of('a')[0]! - of('v')[0]!)).toBeLessThan(50);
    });

  it('keeps tracks of two bases together over a jump of both', () => {
    const steps: [string, number][] = [];
    for (let time = 100_000; time < 102_000; time += 40) steps.push(['v', time], ['a', time + 500_000_000]);
    for (let time = 0; time < 2000; time += 40) steps.push(['v', time], ['a', time + 499_999_990]);
    const out = map(steps);
    const apart = out.flatMap((time, i) => (i % 2 === 0 ? [out[i + 1]! - time] : []));
    expect(new Set(apart.slice(0, 50))).toEqual(new Set([0]));
    expect(Math.max(...apart.map(Math.abs))).toBeLessThan(60);
    expect(out.at(-1)! - out[0]!).toBeLessThan(4100);
  });

  it('lets one track jump alone, again and again, without touching the other', () => {
    const steps: [string, number][] = [];
    for (let i = 0; i < 300; i++) steps.push(['v', i * 40 + Math.floor(i / 50) * 3_600_000], ['a', i * 40]);
    const out = map(steps);
    expect(out.filter((_, i) => i % 2 === 1)).toEqual(Array.from({ length: 300 }, (_, i) => i * 40));
    const video = out.filter((_, i) => i % 2 === 0);
    expect(video.at(-1)! - video[0]!).toBeLessThan(12_100);
  });

  it('learns no frame length from a jump', () => {
    const steps: [string, number][] = [['v', 0]];
    for (let i = 1; i < 20; i++) steps.push(['v', i * 40], ['v', 3_600_000 * i]);
    const out = map(steps);
    expect(out.at(-1)! - out[0]!).toBeLessThan(40 * 40);
  });
});

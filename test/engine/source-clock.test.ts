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
});

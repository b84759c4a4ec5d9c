import { describe, expect, it } from 'vitest';
import { AdaptiveTarget, beginning, type Playhead, steer } from '../../../src/sdk/player/live-edge.ts';

const at = (time: number, change: Partial<Playhead> = {}): Playhead => ({
  time,
  buffered: [{ start: 0, end: 10 }],
  targetSeconds: 0.3,
  starved: false,
  ...change,
});

describe('steer', () => {
  it('leaves a playhead alone that is as far behind the end as it should be', () => {
    for (const time of [9.95, 9.7, 9.56]) expect(steer(at(time))).toEqual({ rate: 1 });
    expect(steer(at(5, { buffered: [] }))).toEqual({ rate: 1 });
  });

  it('plays faster the further behind it is, by a tenth at most', () => {
    const rates = [9.5, 9.2, 8.7, 8, 7.1].map((time) => steer(at(time)).rate);
    expect(rates[0]).toBeCloseTo(1.02);
    expect(rates[1]).toBeCloseTo(1.05);
    expect(rates.slice(2)).toEqual([1.1, 1.1, 1.1]);
    for (const time of [9.5, 7.1]) expect(steer(at(time)).seekTo).toBeUndefined();
  });

  it('jumps to the edge when it is more than three seconds behind', () => {
    expect(steer(at(6.9))).toEqual({ seekTo: 9.7, rate: 1 });
    // Never before the range that holds the edge.
    const short = {
      buffered: [
        { start: 0, end: 5 },
        { start: 9.9, end: 10 },
      ],
    };
    expect(steer(at(1, short))).toEqual({ seekTo: 9.9, rate: 1 });
  });

  it('crosses a hole once it has nothing left to play', () => {
    const hole = {
      buffered: [
        { start: 0, end: 5 },
        { start: 6, end: 7 },
      ],
    };
    expect(steer(at(4.96, hole))).toMatchObject({ rate: 1.1 });
    expect(steer(at(4.96, { ...hole, starved: true }))).toEqual({ seekTo: 6.7, rate: 1 });
    expect(steer(at(5.5, hole))).toEqual({ seekTo: 6.7, rate: 1 });
    // The next of several holes only, at its very beginning.
    const holes = { buffered: [...hole.buffered, { start: 8, end: 9 }] };
    expect(steer(at(5.5, holes)).seekTo).toBeCloseTo(6.001);
  });

  it('waits where nothing follows yet, and goes back when the media did', () => {
    expect(steer(at(9.99, { starved: true }))).toEqual({ rate: 1 });
    expect(steer(at(10.5, { starved: true }))).toEqual({ rate: 1 });
    expect(steer(at(11.5, { starved: true }))).toEqual({ seekTo: 9.7, rate: 1 });
  });
});

describe('beginning', () => {
  it.each([
    ['nothing', [], undefined],
    ['too little', [{ start: 5, end: 5.09 }], undefined],
    ['all of a little', [{ start: 5, end: 5.2 }], 5],
    ['the edge of more', [{ start: 5, end: 9 }], 8.7],
    [
      'behind a few frames and a hole',
      [
        { start: 5, end: 5.087 },
        { start: 7, end: 9 },
      ],
      8.7,
    ],
    [
      'before a few frames that just came',
      [
        { start: 5, end: 6 },
        { start: 7, end: 7.05 },
      ],
      5.7,
    ],
  ])('%s', (_, buffered, start) => {
    const at = beginning(buffered, 0.3);
    if (start === undefined) expect(at).toBeUndefined();
    else expect(at).toBeCloseTo(start);
  });
});

describe('AdaptiveTarget', () => {
  it('grows with stalls and shrinks with calm, within bounds', () => {
    const target = new AdaptiveTarget();
    const first = target.seconds;
    target.stalled();
    expect(target.seconds).toBeCloseTo(first + 0.1);
    for (let i = 0; i < 20; i++) target.stalled();
    expect(target.seconds).toBeCloseTo(0.8);
    target.calm(10);
    expect(target.seconds).toBeCloseTo(0.75);
    target.calm(10_000);
    expect(target.seconds).toBeCloseTo(0.2);
  });
});

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { OnDemand } from '../../../src/engine/transcode/on-demand.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function make(always = false) {
  const calls: string[] = [];
  const demand = new OnDemand({
    always,
    lingerMs: 1000,
    start: () => calls.push('start'),
    stop: () => calls.push('stop'),
  });
  return { demand, calls };
}

describe('on demand', () => {
  it('runs from the first who wants a part to some time after the last', () => {
    const { demand, calls } = make();
    demand.set('a', 1);
    demand.set('b', 1);
    demand.set('a', 0);
    vi.advanceTimersByTime(5000);
    expect(calls).toEqual(['start']);
    demand.set('b', 0);
    vi.advanceTimersByTime(999);
    expect(calls).toEqual(['start']);
    vi.advanceTimersByTime(1);
    expect(calls).toEqual(['start', 'stop']);
    demand.set('b', 2);
    expect(calls).toEqual(['start', 'stop', 'start']);
  });

  it('goes on when somebody comes back in time', () => {
    const { demand, calls } = make();
    demand.set('a', 1);
    demand.set('a', 0);
    vi.advanceTimersByTime(900);
    demand.set('b', 1);
    vi.advanceTimersByTime(5000);
    expect(calls).toEqual(['start']);
  });

  it('may run always, and does nothing after its close', async () => {
    const { demand, calls } = make(true);
    await Promise.resolve();
    demand.set('a', 1);
    demand.set('a', 0);
    vi.advanceTimersByTime(5000);
    expect(calls).toEqual(['start']);
    const closed = make();
    closed.demand.set('a', 1);
    closed.demand.set('a', 0);
    closed.demand.close();
    vi.advanceTimersByTime(5000);
    closed.demand.set('a', 1);
    expect(closed.calls).toEqual(['start']);
  });
});

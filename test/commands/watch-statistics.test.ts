import { describe, expect, it } from 'vitest';
import { parseDuration } from '../../commands/options/duration.ts';
import { WatchStatistics } from '../../commands/watch/statistics.ts';
import type { ViewerObject } from '../../src/sdk/index.ts';

const object = (fields: Partial<ViewerObject>): ViewerObject => ({
  track: 'video',
  kind: 'video',
  groupId: 1,
  objectId: 1,
  payload: new Uint8Array(1000),
  receivedAt: 10_000,
  ...fields,
});

describe('what `watch` counts', () => {
  it('counts groups, objects, bytes and gaps of every track', () => {
    const statistics = new WatchStatistics();
    statistics.object(object({ objectId: 0 }));
    expect(statistics.flowed).toBe(false);
    statistics.object(object({}));
    expect(statistics.flowed).toBe(true);
    statistics.object(object({ groupId: 2, objectId: 0 }));
    statistics.object(object({ track: 'audio', kind: 'audio', groupId: 1 }));
    statistics.gap({ track: 'video', fromGroup: 3, toGroup: 4, reason: 'missing' });
    expect(statistics.summary(12.4)).toEqual({
      version: 1,
      type: 'summary',
      groups: 3,
      objects: 4,
      bytes: 4000,
      gaps: 1,
      latencyMs: {},
      joinMs: 12,
    });
    expect(statistics.tracks(10_000).map(({ track, groups, gaps }) => [track, groups, gaps])).toEqual([
      ['video', 2, 1],
      ['audio', 1, 0],
    ]);
  });

  it('takes the bitrate of the last two seconds', () => {
    const statistics = new WatchStatistics();
    for (let at = 0; at < 10_000; at += 100) statistics.object(object({ receivedAt: at }));
    const bitrate = statistics.tracks(10_000)[0]!.bitrate;
    expect(bitrate).toBeGreaterThan(75_000);
    expect(bitrate).toBeLessThan(85_000);
    expect(statistics.tracks(60_000)[0]!.bitrate).toBe(0);
  });

  it('does not call the age of what waited in the cache a latency', () => {
    const statistics = new WatchStatistics();
    statistics.object(object({ receivedAt: 10_000, latencyMs: 900 }));
    statistics.object(object({ receivedAt: 10_001, latencyMs: 500 }));
    expect(statistics.summary(undefined).latencyMs).toEqual({});
    for (let i = 1; i <= 100; i++) statistics.object(object({ receivedAt: 10_200 + i, latencyMs: i }));
    expect(statistics.summary(undefined).latencyMs).toEqual({ p50: 51, p99: 100 });
    statistics.rejoined(20_000);
    statistics.object(object({ receivedAt: 20_001, latencyMs: 3000 }));
    expect(statistics.summary(undefined).latencyMs.p99).toBe(100);
    expect(statistics.tracks(20_001)[0]!.latencyMs).toBe(3000);
  });
});

describe('durations', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['15m', 900_000],
    ['1h', 3_600_000],
    ['2d', 172_800_000],
    ['1h30m', 5_400_000],
    ['45', 45_000],
  ])('%s is %i ms', (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each(['', '0s', '0', '-1s', '1.5h', 'h', '1 h', '1w', '9999999999s'])('%j is refused', (text) => {
    expect(() => parseDuration(text)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TrackMeter } from '../../commands/inspect/track/track-meter.ts';
import { type Serve, startServe } from '../helpers/streams-cli.ts';
import { commandLine } from './command-line.ts';

/** Groups of `objects` objects of 100 bytes, 10 ms apart. */
function fill(meter: TrackMeter, groups: readonly number[], objects: number, from = 0): void {
  let at = from;
  for (const groupId of groups) {
    meter.subgroup(groupId);
    for (let objectId = 0; objectId < objects; objectId++) {
      meter.object({ groupId, objectId, bytes: 100, at });
      at += 10;
    }
  }
}

describe('the track meter', () => {
  it('counts groups, objects, sizes and their pace', () => {
    const meter = new TrackMeter();
    fill(meter, [5, 6, 7], 10);
    expect(meter.summary()).toMatchObject({
      groups: 3,
      subgroups: 3,
      objects: 30,
      bytes: 3000,
      bitrate: Math.round((3000 * 8000) / 290),
      objectBytes: { min: 100, max: 100 },
      groupObjects: { min: 10, max: 10 },
      groupIntervalMs: { median: 100 },
      objectIntervalMs: { median: 10 },
      jitterMs: 0,
      gapCount: 0,
    });
  });

  it('tells groups that never came from groups that came late, and holes and resets', () => {
    const meter = new TrackMeter();
    fill(meter, [1, 2, 5, 4], 3);
    expect(meter.summary().gaps).toEqual([{ kind: 'groups', fromGroup: 3, toGroup: 3 }]);
    meter.object({ groupId: 4, objectId: 6, bytes: 1, at: 500 });
    meter.reset(4, 1, 0x5);
    expect(meter.summary()).toMatchObject({
      gaps: [
        { kind: 'reset', groupId: 4, subgroupId: 1, code: 5 },
        { kind: 'groups', fromGroup: 3, toGroup: 3 },
        { kind: 'objects', groupId: 4, missing: 3 },
      ],
      gapCount: 3,
    });
  });

  it('takes the group it joined in as it comes', () => {
    const meter = new TrackMeter();
    for (let objectId = 20; objectId < 25; objectId++) meter.object({ groupId: 9, objectId, bytes: 1, at: objectId });
    fill(meter, [10, 11], 2, 100);
    expect(meter.summary()).toMatchObject({ gapCount: 0, groupObjects: { min: 2, max: 2 } });
  });

  it('stays small over a long time, and keeps what it found', () => {
    const meter = new TrackMeter();
    fill(meter, [0, 1, 3], 2);
    fill(
      meter,
      Array.from({ length: 5000 }, (_, index) => index + 4),
      2,
      100,
    );
    expect(meter.rows().length).toBeLessThanOrEqual(64);
    expect(meter.summary()).toMatchObject({ groups: 5003, gapCount: 1, gaps: [{ fromGroup: 2, toGroup: 2 }] });
    meter.object({ groupId: 4_000_000_000, objectId: 0, bytes: 1, at: 1e6 });
    expect(meter.summary().gapCount).toBe(2);
  });

  it('measures an uneven pace', () => {
    const meter = new TrackMeter();
    for (const [objectId, at] of [0, 10, 20, 50, 60, 70].entries())
      meter.object({ groupId: 0, objectId, bytes: 1, at });
    expect(meter.summary()).toMatchObject({ jitterMs: 4, objectIntervalMs: { median: 10, max: 30 } });
  });
});

describe('inspect track', () => {
  let serve: Serve;
  let url: string;
  beforeAll(async () => {
    serve = await startServe(['--demo']);
    const demo = await serve.line(({ type }) => type === 'demo');
    url = String(demo.url);
  });
  afterAll(() => serve.stop());

  it('measures the first video track of a live broadcast, and a named one', async () => {
    const json = await commandLine(['inspect', 'track', url, '--duration', '3s', '--json']);
    expect(json.code, json.stderr).toBe(0);
    const summary = json.lines().at(-1)!;
    expect(summary).toMatchObject({ version: 1, type: 'track', ended: 'stopped', gapCount: 0 });
    expect(Number(summary.objects)).toBeGreaterThan(20);
    expect(Number(summary.groups)).toBeGreaterThan(1);
    expect(json.lines().some(({ type }) => type === 'progress')).toBe(true);
    const catalog = await commandLine(['inspect', 'catalog', url, '--json']);
    const tracks = (catalog.lines()[0]!.catalog as { tracks: { name: string; kind: string }[] }).tracks;
    expect(summary.track).toBe(tracks.find(({ kind }) => kind === 'video')!.name);
    const audio = tracks.find(({ kind }) => kind === 'audio')!.name;
    const human = await commandLine(['inspect', 'track', url, '--track', audio, '--duration', '1s']);
    expect(human.stdout).toMatch(new RegExp(`^Track +${audio}$`, 'm'));
    expect(human.stdout).toMatch(/^Gaps +0$/m);
  });

  it('says what is wrong with a token, an address and a URL', async () => {
    const bad = await commandLine(['inspect', 'track', url.replace(/.{20}$/, 'A'.repeat(20))]);
    expect(bad).toMatchObject({ code: 3 });
    expect(bad.stderr).toContain('[TOKEN_INVALID]');
    const away = new URL(url);
    away.port = '9';
    expect((await commandLine(['inspect', 'track', away.toString()])).code).toBe(4);
    expect((await commandLine(['inspect', 'track', 'nonsense'])).code).toBe(2);
  });
});

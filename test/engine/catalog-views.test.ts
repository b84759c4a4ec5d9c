import { expect, it, onTestFinished, vi } from 'vitest';
import type { TrackStore } from '../../src/broadcast/track-store.ts';
import { decodeHangCatalog } from '../../src/codec/catalog/hang-catalog.ts';
import { decodeMsfCatalog } from '../../src/codec/catalog/msf-catalog.ts';
import { writeFragment } from '../../src/codec/cmaf/fragment.ts';
import { fromBase64 } from '../../src/core/base64.ts';
import { fromHex } from '../../src/core/bytes.ts';
import type { VideoUnit } from '../../src/core/media-unit.ts';
import { Broadcast } from '../../src/engine/broadcast.ts';

const avcC = fromHex('0164001effe1001a6764001eacd980a02ff97011000003000100000300320f162d9a01000668e97892c8b0fdf8f800');
const picture = (ms: number, keyframe: boolean): VideoUnit => ({
  ...{ kind: 'video', codec: 'h264', timescale: 1000, dts: ms, pts: ms, keyframe, arrivedAt: 0 },
  data: new Uint8Array([0, 0, 0, 1, 9]),
  ...(ms === 0 && { config: avcC }),
});

function onAir() {
  const broadcast = new Broadcast(1000);
  let at = 0;
  const play = (count: number) => {
    for (let i = 0; i < count; i++, at += 40) broadcast.push(picture(at, at % 1000 === 0));
  };
  play(30);
  const find = (name: string) => {
    let found: TrackStore | undefined;
    broadcast.find(name, (track) => {
      found = track;
    });
    return found;
  };
  return { broadcast, play, find };
}

function follow(track: TrackStore) {
  const groups = new Map<number, Uint8Array[]>();
  let ended = false;
  const stop = track.follow({
    group: (group) => groups.set(group.groupId, group.objects),
    object: () => {},
    end: () => {
      ended = true;
    },
  });
  return { groups, stop, ended: () => ended };
}

it('shows the broadcast to MSF and hang players, and the tracks they list hold fragments alone', () => {
  const { play, find, broadcast } = onAir();
  const [name] = broadcast.catalog!.tracks.map((track) => track.name);
  const source = follow(find(name!)!);
  const msf = decodeMsfCatalog(find('catalog')!.newest!.objects[0]!);
  const hang = decodeHangCatalog(find('catalog.json')!.newest!.objects[0]!);
  expect(msf.tracks[0]).toMatchObject({ name: `cmaf/${name}`, codec: broadcast.catalog!.tracks[0]!.codec });
  expect(hang.tracks[0]).toMatchObject({ name: `cmaf/${name}` });
  expect(fromBase64(msf.tracks[0]!.init!)).toEqual([...source.groups.values()][0]![0]);
  expect(hang.tracks[0]!.init).toBe(msf.tracks[0]!.init);
  const bare = find(`cmaf/${name}`)!;
  // What there is can be told before the first follower.
  expect(bare.newest!.objects.length).toBeGreaterThan(0);
  const seen = follow(bare);
  play(60);
  for (const [groupId, objects] of seen.groups) {
    expect(objects).toEqual(source.groups.get(groupId)!.slice(1));
    expect(objects[0]!.subarray(4, 8)).toEqual(writeFragment({ ...sample }).subarray(4, 8));
  }
  expect(seen.groups.size).toBe(3);
});

it('makes nothing of it while nobody asks, and forgets what nobody follows', () => {
  const { play, find, broadcast } = onAir();
  const name = broadcast.catalog!.tracks[0]!.name;
  const source = find(name)!;
  expect(source.followers).toBe(0);
  const { stop } = follow(find(`cmaf/${name}`)!);
  expect(source.followers).toBe(1);
  stop();
  expect(source.followers).toBe(0);
  play(60);
  expect(find('cmaf/nothing')).toBeUndefined();
  expect(find('catalog.xml')).toBeUndefined();
});

it('is told of changes while it is followed, and of the end', () => {
  const { broadcast, find } = onAir();
  const msf = follow(find('catalog')!);
  const hang = follow(find('catalog.json')!);
  const bare = follow(find(`cmaf/${broadcast.catalog!.tracks[0]!.name}`)!);
  broadcast.end();
  expect(msf.groups.size).toBe(2);
  expect(decodeMsfCatalog([...msf.groups.values()][1]![0]!)).toMatchObject({ live: false });
  expect(decodeHangCatalog([...hang.groups.values()][1]![0]!).tracks).toEqual([]);
  expect([msf.ended(), hang.ended(), bare.ended()]).toEqual([true, true, true]);
});

it('repeats the MSF catalog while it is followed, for who asks for nothing older than now', () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const { find } = onAir();
  const msf = follow(find('catalog')!);
  const hang = follow(find('catalog.json')!);
  vi.advanceTimersByTime(2000);
  expect([msf.groups.size, hang.groups.size]).toEqual([3, 1]);
  msf.stop();
  vi.advanceTimersByTime(1000);
  expect(vi.getTimerCount()).toBe(0);
  const later = follow(find('catalog')!);
  vi.advanceTimersByTime(1000);
  expect(later.groups.size).toBe(2);
});

it('makes those wait who come before the first catalog', () => {
  const broadcast = new Broadcast(0);
  const found: string[] = [];
  for (const name of ['catalog', 'catalog.json']) broadcast.find(name, (track) => track && found.push(track.name));
  expect(found).toEqual([]);
  for (let ms = 0; ms < 2000; ms += 40) broadcast.push(picture(ms, ms % 1000 === 0));
  expect(found.sort()).toEqual(['catalog', 'catalog.json']);
});

const sample = {
  ...{ trackId: 1, sequence: 1, decodeTime: 0, duration: 1, compositionOffset: 0, keyframe: true },
  ...{ data: new Uint8Array(1), wallClock: 0 },
};

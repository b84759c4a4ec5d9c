import { expect, it } from 'vitest';
import { parseFragment } from '../../../src/codec/cmaf/fragment.ts';
import { parseInitSegment } from '../../../src/codec/cmaf/init-segment.ts';
import type { ViewerObject } from '../../../src/sdk/index.ts';
import { until } from '../harness.ts';
import { fragmentedDemo, startMoqtStack } from '../moqt-stack.ts';

/** Times of decoding by group, 90 kHz. */
function timesOf(objects: readonly ViewerObject[]): Map<number, number[]> {
  const groups = new Map<number, number[]>();
  for (const { groupId, objectId, payload } of objects) {
    if (objectId === 0) continue;
    const times = parseFragment(payload).tracks.map(({ baseMediaDecodeTime }) => baseMediaDecodeTime);
    groups.set(groupId, [...(groups.get(groupId) ?? []), ...times]);
  }
  return groups;
}

it('a MoQT publisher has the ladder of its input, in the groups of what it brings', { timeout: 60_000 }, async () => {
  await using stack = await startMoqtStack({ ladder: '180p:200k' });
  const objects: ViewerObject[] = [];
  const viewer = await stack.viewer({
    selectTracks: ({ tracks }) => tracks.filter(({ kind }) => kind === 'video').map(({ name }) => name),
    onObject: (object) => objects.push(object),
  });
  const publisher = stack.publisher({ realtime: true });
  // Ends early, when enough was seen.
  const writing = publisher.write(fragmentedDemo('frag_every_frame', '-stream_loop', '10')).catch(() => undefined);
  const of = (track: string) => objects.filter((object) => object.track === track);
  await until(() => timesOf(of('video/180p')).size > 3, 'the rung', 18_000);
  await publisher.close();
  await writing;
  expect(viewer.catalog?.tracks.map(({ name, codec }) => [name, codec.slice(0, 4)])).toEqual([
    ['video/360p', 'avc1'],
    ['video/180p', 'avc1'],
    ['audio', 'mp4a'],
  ]);
  expect(parseInitSegment(of('video/180p')[0]!.payload)[0]).toMatchObject({ width: 320, height: 180 });
  const source = timesOf(of('video/360p'));
  const rung = [...timesOf(of('video/180p'))].slice(0, -1);
  expect(rung.length).toBeGreaterThan(2);
  for (const [groupId, times] of rung) expect(times).toHaveLength(source.get(groupId)!.length);
});

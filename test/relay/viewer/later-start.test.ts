import { afterEach, describe, expect, it } from 'vitest';
import type { RelayCore } from '../../../src/relay/relay.ts';
import type { SubgroupWriter, SubscriptionFilter } from '../../../src/session/types.ts';
import { connect, nextGroup, object, readSubgroup, TestPublisher, testRelay, track, watch } from '../harness.ts';

let relay: RelayCore;
afterEach(() => relay.close());

const write = (writer: SubgroupWriter, ...ids: number[]) => ids.forEach((id) => void writer.write(object(1, id)));
const from = (objectId: number): SubscriptionFilter => ({
  type: 'absoluteStart',
  start: { group: 1, object: objectId },
});

/** A viewer that has had objects 0 and 1 of a group under way, and another one that stays as it is. */
async function underWay(version: string) {
  relay = testRelay();
  const publisher = await TestPublisher.start(relay);
  const whole = await (await watch(relay)).session.subscribe(track);
  const { session } = await watch(relay, version);
  const moved = await session.subscribe(track, { filter: { type: 'absoluteStart', start: { group: 1, object: 0 } } });
  const writer = publisher.open(1);
  write(writer, 0, 1);
  const before = (await moved.nextSubgroup())!;
  for (const id of [0, 1]) expect(await before.next()).toMatchObject({ objectId: id });
  return { publisher, whole, moved, writer, before };
}

describe.each(['moq-00', 'moqt-16', 'moqt-18', 'moqt-22'])(
  'a later start within the group under way (%s)',
  (version) => {
    it('goes on there, on a stream of its own: none leaves out what is before', async () => {
      const { publisher, whole, moved, writer, before } = await underWay(version);
      await moved.update({ filter: from(4) });
      await expect(before.next()).rejects.toMatchObject({ code: 'STREAM_RESET' });
      write(writer, 2, 3, 4, 5);
      writer.finish();
      publisher.group(2, [10, 10]);
      expect(await nextGroup(moved)).toMatchObject({ group: 1, ids: [4, 5], end: 'fin' });
      expect(await nextGroup(moved)).toMatchObject({ group: 2, ids: [0, 1], end: 'fin' });
      expect(await nextGroup(whole)).toMatchObject({ group: 1, ids: [0, 1, 2, 3, 4, 5], end: 'fin' });
    });

    it('that is what comes next changes nothing', async () => {
      const { moved, writer, before } = await underWay(version);
      await moved.update({ filter: from(2) });
      write(writer, 2, 3);
      writer.finish();
      expect(await readSubgroup(before)).toMatchObject({ ids: [2, 3], end: 'fin' });
    });

    it('that the group never reaches is a stream with nothing', async () => {
      const { publisher, moved, writer } = await underWay(version);
      await moved.update({ filter: from(9) });
      write(writer, 2, 3);
      writer.finish();
      publisher.group(2, [10]);
      expect(await nextGroup(moved)).toMatchObject({ group: 1, ids: [], end: 'fin' });
      expect(await nextGroup(moved)).toMatchObject({ group: 2, ids: [0], end: 'fin' });
    });
  },
);

it('holds for a viewer with filters', async () => {
  relay = testRelay();
  const publisher = await TestPublisher.start(relay);
  const { session } = await watch(relay, 'moqt-20');
  const rangeFilters = { object: [{ set: 0, ranges: [{ start: 1n }] }] };
  const moved = await session.subscribe(track, { rangeFilters });
  const writer = publisher.open(1);
  write(writer, 0, 1);
  const before = (await moved.nextSubgroup())!;
  expect(await before.next()).toMatchObject({ objectId: 1 });
  await moved.update({ filter: from(3) });
  write(writer, 2, 3, 4);
  writer.finish();
  expect(await readSubgroup(before)).toMatchObject({ end: 'reset' });
  expect(await nextGroup(moved)).toMatchObject({ group: 1, ids: [3, 4], end: 'fin' });
});

it('holds for a viewer that is behind', async () => {
  relay = testRelay();
  const publisher = await TestPublisher.start(relay);
  const { session } = await connect(relay, '/playback/lv_one', { highWaterBytes: 4000 });
  const moved = await session.subscribe(track);
  const writer = publisher.open(1);
  for (const id of [0, 1, 2, 3, 4]) writer.write(object(1, id, 3000));
  writer.finish();
  const before = (await moved.nextSubgroup())!;
  await moved.update({ filter: from(3) });
  const { ids, end } = await readSubgroup(before);
  expect(end).toBe('reset');
  expect(ids).not.toContain(2);
  expect(await nextGroup(moved)).toMatchObject({ group: 1, ids: [3, 4], end: 'fin' });
});

import { expect, it } from 'vitest';
import type { SubscriptionTerms } from '../../../src/session/types.ts';
import { eventually } from '../eventually.ts';
import { nextGroup, TestPublisher, testRelay, track, watch } from '../harness.ts';

/** DYNAMIC_GROUPS (0x30) = 1. */
const dynamic = Uint8Array.of(0x30, 1);

/** A publisher that tells which new groups it was asked for with SUBSCRIBE, and later. */
async function start(trackProperties?: Uint8Array) {
  const relay = testRelay();
  const first: SubscriptionTerms['newGroupRequest'][] = [];
  const later: SubscriptionTerms['newGroupRequest'][] = [];
  const publisher = await TestPublisher.start(relay, (request) => {
    first.push(request.terms.newGroupRequest);
    const publication = request.accept({ alias: 7, ...(trackProperties && { trackProperties }) });
    publication.onUpdate(({ newGroupRequest }) => {
      later.push(newGroupRequest);
      return {};
    });
    publisher.publications.push(publication);
  });
  return { relay, publisher, first, later };
}

it('the first request goes upstream with SUBSCRIBE, later ones as an update, of equal ones only the first until a new group is there', async () => {
  const { relay, publisher, first, later } = await start(dynamic);
  const one = await (await watch(relay)).session.subscribe(track, { newGroupRequest: 0 });
  expect(first).toEqual([0]);
  expect(later).toEqual([]);
  publisher.group(5, [10]);
  await nextGroup(one);
  const two = await (await watch(relay)).session.subscribe(track, { newGroupRequest: 6 });
  await eventually(() => expect(later).toEqual([6]));
  await one.update({ newGroupRequest: 6 });
  await one.update({ newGroupRequest: 5 });
  await two.update({ newGroupRequest: 7 });
  await eventually(() => expect(later).toEqual([6, 7]));
  publisher.group(8, [10]);
  await nextGroup(one);
  await one.update({ newGroupRequest: 8 });
  await two.update({ newGroupRequest: 0 });
  await one.update({ newGroupRequest: 9 });
  await eventually(() => expect(later).toEqual([6, 7, 0, 9]));
  await relay.close();
});

it('a publisher that cannot is not asked', async () => {
  const { relay, publisher, later } = await start();
  const one = await (await watch(relay)).session.subscribe(track);
  await one.update({ newGroupRequest: 0 }).catch(() => {});
  publisher.group(1, [10]);
  await nextGroup(one);
  expect(later).toEqual([]);
  await relay.close();
});

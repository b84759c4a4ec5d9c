import { expect, it, vi } from 'vitest';
import type { SubscriptionTerms } from '../../src/session/types.ts';
import { describeVersions, header, obj, sessions, speech, subscribed, track } from './helpers.ts';

describeVersions('an update of a subscription', (version) => {
  const { updateAnswers, newGroups, joiningFetch } = speech(version);
  const answered = (answer: object) => (updateAnswers ? answer : {});

  it('brings the new terms to the publisher, and its answer back', async () => {
    const { subscription, publication } = await subscribed();
    const seen: [SubscriptionTerms, SubscriptionTerms][] = [];
    publication.onUpdate((terms, before) => {
      seen.push([terms, before]);
      return { largest: { group: 9, object: 1 }, expiresMs: 30 };
    });
    const filter = { type: 'absoluteStart', start: { group: 3, object: 0 } } as const;
    const answer = await subscription.update({ filter, priority: 3, objectTimeoutMs: 50 });
    expect(answer).toEqual(answered({ largest: { group: 9, object: 1 }, expiresMs: 30 }));
    expect(subscription.expiresMs).toBe(updateAnswers ? 30 : undefined);
    await vi.waitFor(() => expect(seen).toHaveLength(1));
    expect(seen[0]![0]).toMatchObject({ filter, priority: 3, objectTimeoutMs: 50, forward: true });
    expect(seen[0]![1]).toMatchObject({ filter: { type: 'unfiltered' }, priority: 128, objectTimeoutMs: 0 });
    await subscription.update({ forward: false });
    await vi.waitFor(() =>
      expect(publication.terms).toMatchObject({ filter, priority: 3, objectTimeoutMs: 50, forward: false }),
    );
  });

  it('that is refused ends the subscription with UPDATE_FAILED', async () => {
    const { subscription, publication } = await subscribed();
    publication.onUpdate(() => ({ code: 0x11, reason: 'in the past' }));
    publication.openSubgroup(header(5)).write(obj(0, ''));
    const update = subscription.update({ forward: false });
    if (updateAnswers) await expect(update).rejects.toMatchObject({ requestCode: 0x11 });
    expect(await subscription.done).toMatchObject({ by: 'publisher', status: updateAnswers ? 0x8 : 0x0 });
    await publication.cancelled;
  });

  it('of what a publisher cannot change is refused; the priority it can always', async () => {
    const { subscription, publication } = await subscribed();
    expect(await subscription.update({ priority: 1 })).toEqual(answered({ largest: { group: 4, object: 2 } }));
    await vi.waitFor(() => expect(publication.terms.priority).toBe(1));
    const update = subscription.update({ filter: { type: 'nextGroup' } });
    if (updateAnswers) await expect(update).rejects.toMatchObject({ requestCode: 0x3 });
    expect(await subscription.done).toMatchObject({ by: 'publisher' });
  });

  it('to forward nothing ends the streams; from then on nothing is sent until it changes', async () => {
    const { subscription, publication } = await subscribed();
    const writer = publication.openSubgroup(header(5));
    writer.write(obj(0, 'a'));
    const subgroup = (await subscription.nextSubgroup())!;
    expect(await subgroup.next()).toMatchObject({ objectId: 0 });
    await subscription.update({ forward: false });
    await expect(subgroup.next()).rejects.toMatchObject({ code: 'STREAM_RESET' });
    expect(publication.openSubgroup(header(6)).write(obj(0, 'b'))).toBe(false);
    expect(await subscription.update({ forward: true })).toEqual(answered({ largest: { group: 5, object: 0 } }));
    await vi.waitFor(() => expect(publication.terms.forward).toBe(true));
    publication.openSubgroup(header(7)).write(obj(0, 'c'));
    expect(await subscription.nextSubgroup()).toMatchObject({ groupId: 7 });
  });

  it('asks for a new group, which is not a term that stays', async () => {
    const { subscription, publication } = await subscribed();
    const asked: (number | undefined)[] = [];
    publication.onUpdate(({ newGroupRequest }) => {
      asked.push(newGroupRequest);
      return {};
    });
    await subscription.update({ newGroupRequest: 5 });
    await subscription.update({ priority: 2 });
    await vi.waitFor(() => expect(asked).toEqual([newGroups ? 5 : undefined, undefined]));
    expect(publication.terms).toMatchObject({ priority: 2 });
  });

  it('of an ended subscription is interrupted', async () => {
    const { subscription } = await subscribed();
    subscription.unsubscribe();
    await expect(subscription.update({ priority: 1 })).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });

  it('moves the end of a joining fetch when it starts to forward', async ({ skip }) => {
    skip(!joiningFetch, `${version} has no joining FETCH`);
    const ends: unknown[] = [];
    const { client } = await sessions({
      server: {
        handlers: {
          subscribe: (request) =>
            request
              .accept({ alias: 1, largest: { group: 2, object: 0 } })
              .onUpdate(() => ({ largest: { group: 8, object: 4 } })),
          fetch(request) {
            ends.push(request.end);
            request.accept({ end: request.end, endOfTrack: false }).finish();
          },
        },
      },
    });
    const joining = await client.subscribe(track, { forward: false });
    await expect(client.fetch({ joining, groupsBefore: 0 })).rejects.toMatchObject({ requestCode: 0x11 });
    await joining.update({ forward: true });
    await client.fetch({ joining, groupsBefore: 0 });
    expect(ends).toEqual([{ group: 8, object: 5 }]);
  });
});

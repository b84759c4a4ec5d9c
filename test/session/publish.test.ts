import { expect, it, vi } from 'vitest';
import { emptyBytes } from '../../src/core/bytes.ts';
import type { IncomingPublish, SessionHandlers, Subscription } from '../../src/session/types.ts';
import {
  allObjects,
  describeVersions,
  header,
  messages,
  obj,
  rawPeer,
  request,
  sessions,
  speech,
  track,
} from './helpers.ts';

const taking = (handlers: SessionHandlers) => sessions({ server: { handlers } });

describeVersions('publish', (version) => {
  it('offers a track; objects come once it is taken', async () => {
    // Since draft-20 terms come in an update, and one of the filter is the publisher's to grant.
    const { publishOkTerms } = speech(version);
    const filter = { type: 'nextGroup' } as const;
    const offers: IncomingPublish[] = [];
    const subscriptions: Subscription[] = [];
    const { client } = await taking({
      publish(offer) {
        offers.push(offer);
        subscriptions.push(offer.accept({ priority: 9, ...(publishOkTerms && { filter }), groupOrder: 'descending' }));
      },
    });
    const publication = await client.publish(track, {
      alias: 3,
      largest: { group: 1, object: 0 },
      forward: false,
      expiresMs: 700,
      trackProperties: Uint8Array.of(2, 5),
    });
    expect(offers[0]).toMatchObject({
      track,
      largest: { group: 1, object: 0 },
      forward: false,
      trackProperties: Uint8Array.of(2, 5),
    });
    await vi.waitFor(() => expect(publication.terms.priority).toBe(9));
    expect(publication.terms).toMatchObject({
      priority: 9,
      filter: publishOkTerms ? filter : { type: 'unfiltered' },
      // From draft-19 on, PUBLISH_OK cannot say it.
      groupOrder: speech(version).publishOkOrder ? 'descending' : undefined,
      forward: false,
    });
    const [subscription] = subscriptions;
    expect(subscription).toMatchObject({ track, largest: { group: 1, object: 0 } });
    // Draft-14 cannot say when an offer expires.
    expect(subscription!.expiresMs).toBe(version === 'moq-00' ? undefined : 700);
    expect(publication.openSubgroup(header(2)).write(obj(0, 'unwanted'))).toBe(false);
    const answer = await subscription!.update({ forward: true });
    if (speech(version).updateAnswers) expect(answer).toEqual({ largest: { group: 1, object: 0 } });
    await vi.waitFor(() => expect(publication.terms.forward).toBe(true));
    const writer = publication.openSubgroup(header(2));
    writer.write(obj(0, 'hello'));
    writer.finish();
    expect(await allObjects((await subscription!.nextSubgroup())!)).toEqual([obj(0, 'hello')]);
    publication.done(0x2, 'over');
    expect(await subscription!.done).toEqual({ by: 'publisher', status: 0x2, reason: 'over' });
  });

  it('is refused: for lack of interest, of a handler, or of room for a second one', async () => {
    const none = await sessions();
    await expect(none.client.publish(track, { alias: 1 })).rejects.toMatchObject({ requestCode: 0x3 });
    const { client } = await taking({
      publish: (offer) => (offer.track.name === 'no' ? offer.reject(0x1, 'not you') : offer.accept()),
    });
    await expect(client.publish({ ...track, name: 'no' }, { alias: 1 })).rejects.toMatchObject({
      requestCode: 0x1,
      reason: 'not you',
    });
    await client.publish(track, { alias: 2 });
    await expect(client.publish(track, { alias: 3 })).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(client.publish({ ...track, name: 'b' }, { alias: 2 })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it('ends at the publisher when the subscriber leaves', async () => {
    const { client } = await taking({ publish: (offer) => offer.accept().unsubscribe() });
    const publication = await client.publish(track, { alias: 2 });
    await publication.cancelled;
    expect(publication.openSubgroup(header(0)).write(obj(0, ''))).toBe(false);
  });

  it('twice for one track is a duplicate, of one alias for two tracks ends the session', async () => {
    const { raw, opening, setup } = await rawPeer('server', { handlers: { publish: (offer) => void offer.accept() } });
    setup();
    await opening;
    const publish = (requestId: number, name: string, trackAlias: number) =>
      request(raw, {
        type: 'publish',
        requestId,
        track: { ...track, name },
        trackAlias,
        parameters: {},
        trackProperties: emptyBytes,
      });
    expect(await messages(publish(0, 'a', 1).receive, 1)).toMatchObject([{ type: 'requestOk' }]);
    expect(await messages(publish(2, 'a', 2).receive, 1)).toMatchObject([{ type: 'requestError', code: 0x19 }]);
    publish(4, 'b', 1);
    expect(await raw.closed).toMatchObject({ code: 0x5 });
  });
});

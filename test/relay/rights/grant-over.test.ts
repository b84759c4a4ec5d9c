import { expect, it } from 'vitest';
import { type Authoriser, type Grant, nothingCarried, type SessionFigures } from '../../../src/access/grant.ts';
import { eventually } from '../eventually.ts';
import { connect, nextGroup, object, openAuthoriser, TestPublisher, testRelay, track } from '../harness.ts';

type Told = Parameters<NonNullable<Grant['over']>>[0] & { kind: Grant['kind'] };

function accounting() {
  const over: Told[] = [];
  const open: { version: string; kind: Grant['kind']; figures(): SessionFigures }[] = [];
  const asked: (string | undefined)[] = [];
  const authoriser: Authoriser = {
    async authorise(request) {
      asked.push(request.via);
      const grant = await openAuthoriser.authorise(request);
      return {
        ...grant,
        opened: (session) => open.push({ ...session, kind: grant.kind }),
        over: (how) => over.push({ ...how, kind: grant.kind }),
      };
    },
  };
  return { authoriser, over, open, asked };
}

it('who granted a session is told when it opens, and once how it ended', async () => {
  const { authoriser, over, open, asked } = accounting();
  const relay = testRelay({}, authoriser);
  const viewer = await connect(relay, '/playback/lv_one');
  await eventually(() => expect(open).toMatchObject([{ version: 'moqt-18' }]));
  expect(over).toEqual([]);
  viewer.session.close(0, 'seen enough');
  await eventually(() => expect(over.length).toBe(1));
  expect(asked).toEqual(['memory']);
  const { bytesSent, bytesReceived } = over[0]!;
  expect(bytesReceived).toBeGreaterThan(0);
  expect(over).toEqual([{ ...nothingCarried, kind: 'playback', reason: 'seen enough', bytesSent, bytesReceived }]);
  await relay.close();
  expect(over.length).toBe(1);
});

it('figures count what was sent while the session goes on, and the time to the first media object', async () => {
  const { authoriser, over, open } = accounting();
  const relay = testRelay({}, authoriser);
  const publisher = await TestPublisher.start(relay, (request) => {
    publisher.publications.push(request.accept({ alias: publisher.publications.length }));
  });
  const viewer = await connect(relay, '/playback/lv_one');
  const figures = (kind: Grant['kind']) => open.find((session) => session.kind === kind)!.figures();
  const catalog = await viewer.session.subscribe({ ...track, name: '.catalog' });
  publisher.group(1, [10]);
  await nextGroup(catalog);
  expect(figures('playback')).toMatchObject({ objectsSent: 1 });
  expect(figures('playback').joinMs).toBeUndefined();
  const subscription = await viewer.session.subscribe(track);
  const writer = publisher.open(5);
  for (const id of [0, 1, 2]) writer.write(object(5, id));
  const subgroup = (await subscription.nextSubgroup())!;
  for (const _ of [0, 1, 2]) await subgroup.next();
  expect(figures('playback')).toMatchObject({ objectsSent: 4, joinMs: expect.any(Number), objectsDropped: 0 });
  expect(figures('playback')).toMatchObject({ objectsSent: 4 });
  expect(figures('publish')).toMatchObject({ objectsSent: 0, objectsReceived: 4 });
  writer.write(object(5, 3));
  writer.finish();
  await subgroup.next();
  viewer.session.close(0, 'done');
  await eventually(() => expect(over).toMatchObject([{ kind: 'playback', objectsSent: 5 }]));
  await relay.close();
  expect(over[1]).toMatchObject({ kind: 'publish', objectsReceived: 5 });
});

it('objects and groups that a slow viewer lost are on its own account', async () => {
  const { authoriser, over } = accounting();
  const relay = testRelay({ queueBytes: 20_000, queueGroups: 2 }, authoriser);
  const publisher = await TestPublisher.start(relay);
  const slow = await connect(relay, '/playback/lv_one', { highWaterBytes: 4000 });
  const quick = await connect(relay, '/playback/lv_one');
  const [, subscription] = await Promise.all([slow.session.subscribe(track), quick.session.subscribe(track)]);
  for (let group = 1; group <= 8; group++) {
    publisher.group(group, [3000, 3000, 3000, 3000]);
    expect((await nextGroup(subscription)).ids.length).toBe(4);
  }
  slow.session.close(0, 'done');
  quick.session.close(0, 'done');
  await eventually(() => expect(over.length).toBe(2));
  const [first, second] = over as [Told, Told];
  expect(first).toMatchObject({ objectsDropped: expect.any(Number) });
  expect(first.groupsDropped).toBeGreaterThan(2);
  expect(first.objectsDropped).toBeGreaterThan(8);
  expect(second).toMatchObject({ objectsSent: 32, objectsDropped: 0, groupsDropped: 0 });
  expect(relay.stats()).toMatchObject({
    groupsDropped: first.groupsDropped,
    objectsDropped: first.objectsDropped,
    objectsOut: first.objectsSent + second.objectsSent,
  });
  await relay.close();
});

it('SUBSCRIBE_OK, and every answer to an update, says when the grant ends', async () => {
  const ending: Authoriser = {
    async authorise(request) {
      const grant = await openAuthoriser.authorise(request);
      return grant.kind === 'playback' ? { ...grant, remainingMs: () => 60_000 } : grant;
    },
  };
  const relay = testRelay({}, ending);
  const publisher = await TestPublisher.start(relay);
  const viewer = await connect(relay, '/playback/lv_one');
  const subscription = await viewer.session.subscribe(track);
  expect(subscription.expiresMs).toBe(60_000);
  expect(await subscription.update({ priority: 1 })).toEqual({ expiresMs: 60_000 });
  expect(publisher.requests.length).toBe(1);
  await relay.close();
});

import { expect, it } from 'vitest';
import { codes } from '../../src/codec/moqt/codes.ts';
import { connect, nextGroup, TestPublisher, testRelay, track, watch } from './harness.ts';

it('asks all to go, waits for who leaves, and closes who stays with GOAWAY_TIMEOUT', async () => {
  const relay = testRelay();
  const publisher = await TestPublisher.start(relay);
  const { session } = await watch(relay);
  const subscription = await session.subscribe(track);
  const obedient = await watch(relay);
  void obedient.session.goaway.then(() => obedient.session.close(0, 'as asked'));
  const waiting = obedient.session.subscribe({ ...track, namespace: ['stream', 'org_a', 'lv_one'], name: 'later' });
  waiting.catch(() => {});
  const drained = relay.drain({ uri: 'https://other.example:4443', timeoutMs: 200 });
  expect(await session.goaway).toEqual({ uri: 'https://other.example:4443/playback/lv_one', timeoutMs: 200 });
  expect(await publisher.client.session.goaway).toMatchObject({ uri: 'https://other.example:4443/publish/lv_one' });
  await expect(connect(relay, '/playback/lv_one')).rejects.toMatchObject({ code: 'TRANSPORT_CLOSED' });
  publisher.group(1, [10]);
  expect(await nextGroup(subscription)).toMatchObject({ group: 1, end: 'fin' });
  expect(await obedient.session.closed).toMatchObject({ by: 'local' });
  expect(await session.closed).toMatchObject({ by: 'peer', code: codes.session.goawayTimeout });
  await drained;
  expect(relay.stats().sessions).toBe(0);
  await relay.close();
});

it('is done at once when everybody leaves; a place with a path is kept as it is', async () => {
  const relay = testRelay();
  const { session } = await watch(relay);
  void session.goaway.then(({ uri }) => session.close(0, uri));
  await relay.drain({ uri: 'https://other.example/a?b', timeoutMs: 60_000 });
  expect(await session.closed).toMatchObject({ reason: 'https://other.example/a?b' });
  await relay.close();
});

it('refuses who waits for a publisher', async () => {
  const relay = testRelay();
  const { session } = await watch(relay);
  const waiting = session.subscribe(track, { rendezvousMs: 60_000 });
  const refused = expect(waiting).rejects.toMatchObject({ requestCode: codes.requestError.goingAway });
  await session.trackStatus(track).catch(() => {});
  const drained = relay.drain({ timeoutMs: 20 });
  expect(await session.goaway).toEqual({ uri: '', timeoutMs: 20 });
  await refused;
  await drained;
  await relay.close();
});

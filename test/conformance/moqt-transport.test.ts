import { type DraftVersion, WIRED_DRAFTS } from '@moqt/transport';
import { describe, expect, it, onTestFinished } from 'vitest';
import { moqtProtocols } from '../../src/codec/moqt/dialects.ts';
import { fromUtf8, utf8 } from '../../src/core/bytes.ts';
import { establish } from '../../src/session/establish.ts';
import type { Publication } from '../../src/session/types.ts';
import { memoryPair } from '../../src/transport/memory.ts';
import { namespace, openAuthoriser, testRelay, track } from '../relay/harness.ts';
import { MoqtTransportPeer } from './moqt-transport-peer.ts';

const protocolOf = (draft: DraftVersion): string => (draft === 14 ? 'moq-00' : `moqt-${draft}`);
const drafts = WIRED_DRAFTS.filter((draft) => moqtProtocols.includes(protocolOf(draft)));
/** Draft-14 has answers of its own for each kind of request. */
const answers = (draft: DraftVersion) =>
  draft === 14
    ? ({ announced: 'PUBLISH_NAMESPACE_OK', refused: 'REQUEST_ERROR' } as const)
    : ({ announced: 'REQUEST_OK', refused: 'REQUEST_ERROR' } as const);
const theirNamespace = namespace.map(utf8);
const theirName = utf8(track.name);

function start() {
  const relay = testRelay({}, openAuthoriser);
  const dial = (protocol: string, path: string) => {
    const pair = memoryPair({ protocol, path });
    void relay.serve(pair.server);
    onTestFinished(() => pair.drop());
    return pair.client;
  };
  const theirs = (draft: DraftVersion, path: string) => MoqtTransportPeer.connect(dial(protocolOf(draft), path), draft);
  return { dial, theirs };
}

it('both of us speak draft-14, draft-16 and draft-18', () => expect(drafts).toEqual([14, 16, 18]));

describe.each(drafts)('@moqt/transport in draft-%i', (draft) => {
  it('publishes to our viewers by our relay', async () => {
    const { dial, theirs } = start();
    const publisher = await theirs(draft, '/publish/lv_one');
    publisher.run(publisher.session.publishNamespace(theirNamespace).actions);
    await publisher.heard(answers(draft).announced);
    const viewer = await establish(dial('moqt-18', '/playback/lv_one'), { role: 'client' });
    const subscribing = viewer.subscribe(track);
    const { requestId, trackName } = await publisher.heard('SUBSCRIBE');
    expect(fromUtf8(trackName)).toBe(track.name);
    publisher.run(publisher.session.acceptSubscribe(BigInt(requestId), 7n));
    const subscription = await subscribing;
    publisher.publishGroup(7, 4, ['a', 'bc', 'd']);
    const subgroup = (await subscription.nextSubgroup())!;
    expect(subgroup).toMatchObject({ groupId: 4, subgroupId: 0, priority: 5, endOfGroup: true });
    const payloads: string[] = [];
    for (let next = await subgroup.next(); next !== null; next = await subgroup.next())
      payloads.push(fromUtf8(next.payload));
    expect(payloads).toEqual(['a', 'bc', 'd']);
  });

  it('watches what we publish, by our relay', async () => {
    const { dial, theirs } = start();
    const publications: Publication[] = [];
    const source = await establish(dial('moqt-18', '/publish/lv_one'), {
      role: 'client',
      handlers: { subscribe: (request) => void publications.push(request.accept({ alias: 3 })) },
    });
    await source.publishNamespace(namespace);
    const viewer = await theirs(draft, '/playback/lv_one');
    const { requestId, actions } = viewer.session.subscribe(theirNamespace, theirName);
    viewer.run(actions);
    const ok = await viewer.heard('SUBSCRIBE_OK');
    expect(viewer.session.getSubscription(requestId)!.state).toBe('established');
    const writer = publications[0]!.openSubgroup({ groupId: 9, subgroupId: 0, priority: 1, endOfGroup: true });
    for (const objectId of [0, 1, 5])
      writer.write({ objectId, status: 'normal', properties: undefined, payload: utf8(`object ${objectId}`) });
    writer.finish();
    expect(await viewer.nextGroup()).toEqual({
      alias: Number(ok.trackAlias),
      groupId: 9,
      objects: [0, 1, 5].map((objectId) => ({ objectId, payload: utf8(`object ${objectId}`) })),
    });
  });

  it('is told why it is refused', async () => {
    const { theirs } = start();
    const viewer = await theirs(draft, '/playback/lv_one');
    viewer.run(viewer.session.subscribe([utf8('stream'), utf8('org_b'), utf8('x')], theirName).actions);
    expect(await viewer.heard(answers(draft).refused)).toMatchObject({ errorCode: 0x1n });
  });
});

import { type DraftVersion, WIRED_DRAFTS } from '@moqt/transport';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { moqtProtocols } from '../../src/codec/moqt/dialects.ts';
import { fromHex, fromUtf8, utf8 } from '../../src/core/bytes.ts';
import type { Relay } from '../../src/relay/start-relay.ts';
import { establish } from '../../src/session/establish.ts';
import type { Publication } from '../../src/session/types.ts';
import { connect } from '../../src/transport/connect.ts';
import { memoryPair } from '../../src/transport/memory.ts';
import type { Transport } from '../../src/transport/transport.ts';
import { namespace, openAuthoriser, testRelay, track } from '../relay/harness.ts';
import { openRelay } from '../relay/open-relay.ts';
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

/** How a client of either maker reaches the relay, as which is said by the path. */
type Dial = (protocol: string, path: string) => Promise<Transport>;

function inMemory(): Dial {
  const relay = testRelay({}, openAuthoriser);
  return async (protocol, path) => {
    const pair = memoryPair({ protocol, path });
    void relay.serve(pair.server);
    onTestFinished(() => pair.drop());
    return pair.client;
  };
}

/** WebTransport over QUIC, to a relay that listens. */
function overQuic(): Dial {
  let relay: Relay;
  beforeAll(async () => {
    const opened = await openRelay({ http: null, limits: { publisherLingerMs: 20 } });
    relay = opened.relay;
    return opened.close;
  });
  return async (protocol, path) => {
    const certificateHashes = [fromHex(relay.certificateSha256)];
    const url = `https://127.0.0.1:${relay.port}${path}`;
    const transport = await connect(url, { versions: [protocol], certificateHashes });
    onTestFinished(async () => {
      transport.close({ code: 0, reason: '' });
      await transport.closed;
    });
    return transport;
  };
}

const ways = drafts.flatMap((draft) => (['memory', 'QUIC'] as const).map((over) => ({ draft, over })));

it('both of us speak draft-14, draft-16 and draft-18', () => expect(drafts).toEqual([14, 16, 18]));

describe.each(ways)('@moqt/transport in draft-$draft over $over', ({ draft, over }) => {
  const dial = (over === 'memory' ? inMemory : overQuic)();
  const theirs = async (path: string) => MoqtTransportPeer.connect(await dial(protocolOf(draft), path), draft);

  it('publishes to our viewers by our relay', async () => {
    const publisher = await theirs('/publish/lv_one');
    publisher.run(publisher.session.publishNamespace(theirNamespace).actions);
    await publisher.heard(answers(draft).announced);
    const viewer = await establish(await dial('moqt-18', '/playback/lv_one'), { role: 'client' });
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
    const publications: Publication[] = [];
    const source = await establish(await dial('moqt-18', '/publish/lv_two'), {
      role: 'client',
      handlers: { subscribe: (request) => void publications.push(request.accept({ alias: 3 })) },
    });
    await source.publishNamespace(['stream', 'org_a', 'lv_two']);
    const viewer = await theirs('/playback/lv_two');
    const { requestId, actions } = viewer.session.subscribe(['stream', 'org_a', 'lv_two'].map(utf8), theirName);
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
    const viewer = await theirs('/playback/lv_one');
    viewer.run(viewer.session.subscribe([utf8('stream'), utf8('org_b'), utf8('x')], theirName).actions);
    expect(await viewer.heard(answers(draft).refused)).toMatchObject({ errorCode: 0x1n });
  });
});

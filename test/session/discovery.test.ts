import { describe, expect, it } from 'vitest';
import type { Message } from '../../src/codec/moqt/message.ts';
import type { IncomingPrefix, PrefixFeed, SessionHandlers } from '../../src/session/types.ts';
import { describeVersions, encode, messages, rawPeer, request, sessions, track } from './helpers.ts';

const serving = (handlers: SessionHandlers) => sessions({ server: { handlers } });

describeVersions('subscribeNamespace', (version) => {
  async function following(prefix: string[]) {
    const feeds: PrefixFeed[] = [];
    const requests: IncomingPrefix[] = [];
    const both = await serving({
      subscribeNamespace(incoming) {
        requests.push(incoming);
        feeds.push(incoming.accept());
      },
    });
    const subscription = await both.client.subscribeNamespace(prefix);
    return { ...both, subscription, feed: feeds[0]!, requests };
  }

  it('tells of namespaces that come and go, once each, as whole names', async () => {
    const { subscription, feed, requests } = await following(['a']);
    expect(requests[0]).toMatchObject({ prefix: ['a'] });
    feed.announce(['a', 'b']);
    feed.announce(['a', 'b']);
    feed.announce(['x', 'b']);
    feed.withdraw(['a', 'never']);
    feed.announce(['a']);
    feed.withdraw(['a', 'b']);
    expect(await subscription.next()).toEqual({ namespace: ['a', 'b'], active: true });
    expect(await subscription.next()).toEqual({ namespace: ['a'], active: true });
    expect(await subscription.next()).toEqual({ namespace: ['a', 'b'], active: false });
  });

  it('leaves no ghost: what was there is gone with the session', async () => {
    const { subscription, feed, drop } = await following([]);
    feed.announce(['a']);
    expect(await subscription.next()).toEqual({ namespace: ['a'], active: true });
    drop();
    expect(await subscription.next()).toEqual({ namespace: ['a'], active: false });
    expect(await subscription.next()).toBeNull();
  });

  it('is cancelled at the publisher', async () => {
    const { subscription, requests } = await following(['a']);
    subscription.cancel();
    await requests[0]!.cancelled;
    expect(await subscription.next()).toBeNull();
  });

  it('of overlapping prefixes is refused, independently of subscribeTracks, until the other is gone', async () => {
    const accept = (incoming: IncomingPrefix): void => void incoming.accept();
    const { client } = await serving({ subscribeNamespace: accept, subscribeTracks: accept });
    const first = await client.subscribeNamespace(['a', 'b']);
    for (const prefix of [['a', 'b'], ['a'], ['a', 'b', 'c'], []]) {
      await expect(client.subscribeNamespace(prefix)).rejects.toMatchObject({ requestCode: 0x30, code: 'CONFLICT' });
    }
    await client.subscribeNamespace(['a', 'c']);
    // In draft-14 both are one request.
    if (version !== 'moq-00') {
      await client.subscribeTracks(['a', 'b']);
      await expect(client.subscribeTracks(['a'])).rejects.toMatchObject({ requestCode: 0x30 });
    }
    first.cancel();
    await client.subscribeNamespace(['a', 'b']);
  });

  it('is not supported where there is no handler', async () => {
    const { client } = await sessions();
    await expect(client.subscribeNamespace(['a'])).rejects.toMatchObject({ requestCode: 0x3 });
    await expect(client.subscribeTracks(['a'])).rejects.toMatchObject({ requestCode: 0x3 });
  });

  it('takes another prefix; later names are relative to it', async () => {
    const retargeted: string[] = [];
    let feed: PrefixFeed | undefined;
    const { raw, opening, setup } = await rawPeer('server', {
      handlers: {
        subscribeNamespace(incoming) {
          feed = incoming.accept({
            retarget: (prefix) => (prefix[0] === 'secret' ? { code: 0x1, reason: 'no' } : undefined),
            retargeted: () => {
              retargeted.push(incoming.prefix.join('/'));
              feed?.announce(['a', 'b', 'c']);
            },
          });
          feed.announce(['a', 'x']);
        },
      },
    });
    setup();
    await opening;
    const bidi = request(raw, { type: 'subscribeNamespace', requestId: 0, prefix: ['a'], parameters: {} });
    expect(await messages(bidi.receive, 2)).toMatchObject([{ type: 'requestOk' }, { suffix: ['x'] }]);
    const update = (requestId: number, trackNamespacePrefix: string[]) =>
      bidi.send.write(encode({ type: 'requestUpdate', requestId, parameters: { trackNamespacePrefix } }));
    update(2, ['a', 'b']);
    expect(await messages(bidi.receive, 2)).toMatchObject([{ type: 'requestOk' }, { suffix: ['c'] }]);
    expect(retargeted).toEqual(['a/b']);
    update(4, ['secret']);
    expect(await messages(bidi.receive, 2)).toMatchObject([{ type: 'requestError', code: 0x1 }]);
  });

  it.each<[string, Message]>([
    ['NAMESPACE_DONE without its NAMESPACE', { type: 'namespaceDone', suffix: ['b'] }],
    ['NAMESPACE with parameters that nobody agreed on', { type: 'namespace', suffix: ['b'], parameters: {} }],
  ])('closes the session of a peer that sends %s', async (_, message) => {
    const { raw, opening, setup } = await rawPeer('client');
    setup();
    const session = await opening;
    const answer = session.subscribeNamespace(['a']);
    const bidi = (await raw.acceptBidi())!;
    bidi.send.write(encode({ type: 'requestOk', parameters: {}, trackProperties: new Uint8Array() }));
    const subscription = await answer;
    bidi.send.write(encode(message));
    expect(await raw.closed).toMatchObject({ code: 0x3 });
    expect(await subscription.next()).toBeNull();
  });
});

it('subscribeTracks says what is blocked, and whether to forward', async () => {
  const requests: IncomingPrefix[] = [];
  const { client } = await serving({
    subscribeTracks(incoming) {
      requests.push(incoming);
      incoming.accept().blocked({ namespace: ['a', 'b'], name: 'video' });
    },
  });
  const subscription = await client.subscribeTracks(['a'], { forward: false });
  expect(requests[0]).toMatchObject({ prefix: ['a'], forward: false });
  expect(await subscription.next()).toEqual({ namespace: ['a', 'b'], name: 'video' });
});

describe('trackStatus', () => {
  it('tells what SUBSCRIBE_OK would, without a subscription', async () => {
    const status = { largest: { group: 3, object: 1 }, expiresMs: 5, trackProperties: Uint8Array.of(2, 5) };
    const { client } = await serving({
      trackStatus(incoming) {
        if (incoming.track.name === track.name) incoming.accept(status);
        else incoming.reject(0x10, 'no such track', 9);
      },
    });
    expect(await client.trackStatus(track)).toEqual(status);
    await expect(client.trackStatus({ ...track, name: 'b' })).rejects.toMatchObject({ requestCode: 0x10, retryMs: 9 });
  });

  it('is not supported where there is no handler', async () => {
    const { client } = await sessions();
    await expect(client.trackStatus(track)).rejects.toMatchObject({ requestCode: 0x3 });
  });
});

import { describe, expect, it } from 'vitest';
import type { Message } from '../../src/codec/moqt/message.ts';
import { fromHex, utf8 } from '../../src/core/bytes.ts';
import { encode, messages, rawPeer, request, sessions, track } from './helpers.ts';

const subscribe = (requestId: number, name = 'x'): Message => ({
  type: 'subscribe',
  requestId,
  track: { ...track, name },
  parameters: {},
});

/** A server session and a peer that has sent SETUP. */
async function open() {
  const peer = await rawPeer('server', { handlers: { subscribe() {} } });
  peer.setup();
  const session = await peer.opening;
  return { ...peer, session };
}

describe('the peer breaks a rule: the session closes with the code of the draft', () => {
  const cases: readonly [string, number, (peer: Awaited<ReturnType<typeof open>>) => void][] = [
    ['garbage on the control stream', 0x3, ({ control }) => control.write(fromHex('3fffffff'))],
    ['a request on the control stream', 0x3, ({ control }) => control.write(encode(subscribe(0)))],
    ['a second SETUP', 0x3, ({ control }) => control.write(encode({ type: 'setup' }))],
    ['FIN of the control stream', 0x3, ({ control }) => control.finish()],
    ['reset of the control stream', 0x3, ({ control }) => control.reset(0)],
    ['a second control stream', 0x3, ({ raw }) => raw.openUni().write(encode({ type: 'setup' }))],
    [
      'a client’s GOAWAY with a URI',
      0x3,
      ({ control }) => control.write(encode({ type: 'goaway', uri: 'u', timeoutMs: 0 })),
    ],
    ['an unknown stream type', 0x3, ({ raw }) => raw.openUni().write(fromHex('0f'))],
    ['a stream without a type', 0x3, ({ raw }) => raw.openUni().finish()],
    ['a reserved subgroup type', 0x3, ({ raw }) => raw.openUni().write(fromHex('16 00 00'))],
    ['garbage on a request stream', 0x3, ({ raw }) => raw.openBidi().send.write(utf8('GET / HTTP/1.1\r\n'))],
    [
      'a response first on a request stream',
      0x3,
      ({ raw }) => void request(raw, { type: 'goaway', uri: '', timeoutMs: 0 }),
    ],
    ['a request id of the wrong parity', 0x4, ({ raw }) => void request(raw, subscribe(1))],
    ['a request id used twice', 0x4, ({ raw }) => [request(raw, subscribe(0)), request(raw, subscribe(0, 'y'))]],
    [
      'FIN inside a request',
      0x3,
      ({ raw }) => {
        const { send } = raw.openBidi();
        send.write(encode(subscribe(0)).subarray(0, 5));
        send.finish();
      },
    ],
  ];
  it.each(cases)('%s', async (_, code, break_) => {
    const peer = await open();
    break_(peer);
    expect(await peer.session.closed).toMatchObject({ by: 'local', code });
    expect((await peer.raw.closed).reason).not.toBe('');
  });

  it.each([
    ['a relative path', 'x', 0x9],
    ['a path with a space', '/a b', 0x9],
    ['a fragment', '/a#b', 0x9],
  ])('SETUP with %s', async (_, path, code) => {
    const { control, opening, raw } = await rawPeer('server');
    control.write(encode({ type: 'setup', path }));
    await expect(opening).rejects.toMatchObject({ sessionCode: code });
    expect(await raw.closed).toMatchObject({ by: 'peer', code });
  });

  it('a server that sends PATH or AUTHORITY', async () => {
    for (const [setup, code] of [
      [{ type: 'setup', path: '/' }, 0x8],
      [{ type: 'setup', authority: 'a' }, 0x19],
    ] as const) {
      const { control, raw } = await rawPeer('client');
      control.write(encode(setup));
      expect(await raw.closed).toMatchObject({ code });
    }
  });

  it('a subscription answered with something else', async () => {
    const { raw, setup, opening } = await rawPeer('client');
    setup();
    const session = await opening;
    const answer = session.subscribe(track);
    const stream = (await raw.acceptBidi())!;
    stream.send.write(
      encode({
        type: 'fetchOk',
        endOfTrack: false,
        end: { group: 0, object: 0 },
        parameters: {},
        trackProperties: new Uint8Array(0),
      }),
    );
    await expect(answer).rejects.toMatchObject({ sessionCode: 0x3 });
    expect(await session.closed).toMatchObject({ code: 0x3 });
  });
});

describe('requests that are refused, while the session goes on', () => {
  it('those without a handler', async () => {
    const { client } = await sessions();
    await expect(client.subscribe(track)).rejects.toMatchObject({ code: 'UNSUPPORTED', requestCode: 0x3 });
    await expect(client.publishNamespace(['a'])).rejects.toMatchObject({ requestCode: 0x3 });
  });

  it('those we do not do, and reserved namespaces', async () => {
    const { raw, session } = await open();
    const empty = new Uint8Array(0);
    const refused: [Message, number][] = [
      [{ type: 'trackStatus', requestId: 0, track, parameters: {} }, 0x3],
      [{ type: 'publish', requestId: 2, track, trackAlias: 1, parameters: {}, trackProperties: empty }, 0x3],
      [{ type: 'subscribeNamespace', requestId: 4, prefix: [], parameters: {} }, 0x3],
      [{ type: 'subscribeTracks', requestId: 6, prefix: [], parameters: {} }, 0x3],
      [
        {
          type: 'fetch',
          requestId: 8,
          range: { kind: 'relativeJoining', joiningRequestId: 0, start: 0 },
          parameters: {},
        },
        0x3,
      ],
      [{ type: 'subscribe', requestId: 10, track: { namespace: ['.session'], name: 'x' }, parameters: {} }, 0x10],
      [{ type: 'subscribe', requestId: 12, track: { namespace: ['.'], name: 'x' }, parameters: {} }, 0x10],
    ];
    for (const [message, code] of refused) {
      const stream = request(raw, message);
      expect(await messages(stream.receive, 1)).toMatchObject([{ type: 'requestError', code }]);
      expect(await stream.receive.read()).toBeNull();
    }
    session.close(0, '');
  });

  it('padding and fetch streams are thrown away', async () => {
    const { raw, session } = await open();
    const padding = raw.openUni();
    padding.write(fromHex('f0132b3e28 00000000'));
    padding.finish();
    const fetch = raw.openUni();
    fetch.write(fromHex('05 00'));
    expect(await fetch.stopped).toBe(0x1);
    expect(await padding.stopped).toBeNull();
    session.close(0, '');
  });
});

import { describe, expect, it } from 'vitest';
import { vi64 } from '../../src/codec/moqt/varint.ts';
import { ByteWriter, fromHex, hex } from '../../src/core/bytes.ts';
import { encode, rawPeer, sessions, track } from './helpers.ts';

/** Type, length, payload in hexadecimal. */
function message(type: number, payload: string): Uint8Array {
  const bytes = fromHex(payload.replaceAll(' ', ''));
  const out = new ByteWriter();
  vi64.write(out, type);
  return out.u16(bytes.length).bytes(bytes).finish();
}

/** Request id 0, namespace `a`, name `b`, then what follows: the number of parameters first. */
const subscribe = (parameters: string) => message(0x3, `00 01 0161 0162 ${parameters}`);
const fetch = (parameters: string) => message(0x16, `00 01 01 0161 0162 0000 0100 ${parameters}`);

type Place = 'control' | 'request' | 'stream' | 'datagram';

/** draft-18: what a receiver has to do with what it does not know, each with its section. */
const closing: readonly [string, Place, Uint8Array, number][] = [
  ['10: an unknown message on a request stream', 'request', message(0x3f, ''), 0x3],
  ['10: an unknown message on the control stream', 'control', message(0x3f, ''), 0x3],
  ['10: a message of an older draft (CLIENT_SETUP)', 'control', message(0x20, '00'), 0x3],
  ['10: bytes behind a message', 'request', message(0x3, '00 01 0161 0162 00 00'), 0x3],
  ['10: a message shorter than its fields', 'request', message(0x3, '00 01 0161'), 0x3],
  ['10.2: an unknown parameter', 'request', subscribe('01 3e 00'), 0x3],
  ['10.2.1: a parameter of another message (FORWARD in FETCH)', 'request', fetch('01 10 01'), 0x3],
  ['10.2: a parameter twice', 'request', subscribe('02 10 01 00 01'), 0x3],
  ['10.2: more parameters announced than there are', 'request', subscribe('02 10 01'), 0x3],
  ['10.2.2: a token that cannot be decoded', 'request', subscribe('01 03 01 09'), 0x6],
  ['10.2.8: GROUP_ORDER 3', 'request', subscribe('01 22 03'), 0x3],
  ['10.2.9: an unknown filter', 'request', subscribe('01 21 01 07'), 0x3],
  ['10.2.12: FORWARD 2', 'request', subscribe('01 10 02'), 0x3],
  ['10.12: an unknown fetch type', 'request', message(0x16, '00 04 00 00 00'), 0x3],
  ['2.4.1: a namespace of 33 fields', 'request', message(0x50, `00 21 ${'0161'.repeat(33)} 00`), 0x3],
  ['2.4.1: an empty namespace field', 'request', message(0x6, '00 01 00 00'), 0x3],
  ['3.4: an unknown stream type', 'stream', fromHex('0f'), 0x3],
  ['3.4: an unknown stream type, large', 'stream', fromHex('c08000'), 0x3],
  ['11.3.1: an unknown datagram type', 'datagram', fromHex('30010101'), 0x3],
  ['11.3.1: a status that ends the group', 'datagram', fromHex('2201010000'), 0x3],
];

describe('what a session does not know closes it', () => {
  it.each(closing)('%s', async (_, place, bytes, code) => {
    const peer = await rawPeer('server', { handlers: { subscribe() {}, fetch() {}, publishNamespace() {} } });
    peer.setup();
    const session = await peer.opening;
    if (place === 'control') peer.control.write(bytes);
    else if (place === 'request') peer.raw.openBidi().send.write(bytes);
    else if (place === 'stream') peer.raw.openUni().write(bytes);
    else peer.raw.sendDatagram(bytes);
    expect(await session.closed).toMatchObject({ by: 'local', code });
  });
});

describe('what a session does not know and has to live with', () => {
  it('10.3.1: setup options', async () => {
    const peer = await rawPeer('server');
    // 0x9d (grease, bytes) and behind it an even one, an integer.
    peer.control.write(message(0x2f00, '809d 02 ffee 01 05'));
    expect((await peer.opening).version).toBe('moqt-18');
  });

  it('13: error codes, which stand for INTERNAL_ERROR', async () => {
    const { client, server } = await sessions({
      server: { handlers: { subscribe: (request) => request.reject(0x9d, 'grease') } },
    });
    await expect(client.subscribe(track)).rejects.toMatchObject({ code: 'INTERNAL', requestCode: 0x9d });
    client.close(0x9d, '');
    expect(await server.closed).toMatchObject({ by: 'peer', code: 0x9d });
  });

  it('13: status codes of PUBLISH_DONE, and track properties', async () => {
    const { raw, opening, setup } = await rawPeer('client');
    setup();
    const session = await opening;
    const answer = session.subscribe(track);
    const { send } = (await raw.acceptBidi())!;
    const trackProperties = fromHex('809d01ff');
    send.write(encode({ type: 'subscribeOk', trackAlias: 1, parameters: {}, trackProperties }));
    const subscription = await answer;
    expect(hex(subscription.trackProperties)).toBe('809d01ff');
    send.write(encode({ type: 'publishDone', status: 0x9d, reason: 'grease', streamCount: 0 }));
    expect(await subscription.done).toMatchObject({ by: 'publisher', status: 0x9d });
  });
});

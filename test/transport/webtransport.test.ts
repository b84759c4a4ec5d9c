import { describe, expect, it } from 'vitest';
import { http3Code } from '../../src/codec/http3/code-points.ts';
import { encodeFrame } from '../../src/codec/http3/frames.ts';
import { encodeFieldSection } from '../../src/codec/http3/qpack.ts';
import { encodeSettings, ourSettings } from '../../src/codec/http3/settings.ts';
import { encodeStreamHeader } from '../../src/codec/http3/web-transport.ts';
import { concat, emptyBytes, fromUtf8, utf8 } from '../../src/core/bytes.ts';
import { memoryPair } from '../../src/transport/memory.ts';
import type { BidiStream, FanOutWriter, SendStream } from '../../src/transport/transport.ts';
import { acceptWebTransport } from '../../src/transport/webtransport/accept.ts';
import { connectWebTransport } from '../../src/transport/webtransport/connect.ts';
import { RequestStream } from '../../src/transport/webtransport/request-stream.ts';
import { readAll } from './streams.ts';
import { describeTransport } from './suite.ts';

describeTransport('webtransport over memory', async () => {
  const base = memoryPair({ protocol: 'h3' });
  const [client, server] = await Promise.all([
    connectWebTransport(base.client, { authority: 'localhost:4443', path: '/', protocols: ['moqt-18'] }),
    acceptWebTransport(base.server, { protocols: ['moqt-18'] }),
  ]);
  return { client, server, close: async () => base.drop() };
});

const authority = 'localhost:4443';
const webTransport = {
  ':method': 'CONNECT',
  ':scheme': 'https',
  ':authority': authority,
  ':path': '/',
  ':protocol': 'webtransport',
};

const request = (fields: Record<string, string>) =>
  encodeFrame({ type: 'headers', bytes: encodeFieldSection(Object.entries(fields)) });

async function answer(stream: BidiStream): Promise<{ status: string | undefined; body: string }> {
  const message = new RequestStream(stream, emptyBytes);
  const headers = await message.headers();
  let body = '';
  for (let frame = await message.next(); frame !== null; frame = await message.next()) body += fromUtf8(frame.bytes);
  return { status: headers?.get(':status'), body };
}

async function pair(options: { offered: string[]; supported: string[]; path?: string }) {
  const base = memoryPair({ protocol: 'h3' });
  const [client, server] = await Promise.all([
    connectWebTransport(base.client, { authority, path: options.path ?? '/', protocols: options.offered }),
    acceptWebTransport(base.server, { protocols: options.supported }),
  ]);
  return { base, client, server };
}

describe('WebTransport handshake', () => {
  it.each([['https://example.com'], [undefined]])('tells the server the web page it comes from: %s', async (origin) => {
    const base = memoryPair({ protocol: 'h3' });
    const [, server] = await Promise.all([
      connectWebTransport(base.client, { authority, path: '/', protocols: ['a'], ...(origin && { origin }) }),
      acceptWebTransport(base.server, { protocols: ['a'] }),
    ]);
    expect(server.origin).toBe(origin);
    base.drop();
  });

  it('tells the server the path, and both the subprotocol the client likes best', async () => {
    const path = '/playback/lv_1?tok=x';
    const { base, client, server } = await pair({ offered: ['a', 'b', 'c'], supported: ['x', 'c', 'b'], path });
    expect([client.path, server.path]).toEqual([path, path]);
    expect([client.protocol, server.protocol]).toEqual(['b', 'b']);
    base.drop();
  });

  it('goes on without a subprotocol when none is common', async () => {
    const { base, client, server } = await pair({ offered: ['a'], supported: ['b'] });
    expect([client.protocol, server.protocol]).toEqual(['', '']);
    base.drop();
  });

  it('refuses a client without a common subprotocol when one is required, and tells it why', async () => {
    const base = memoryPair({ protocol: 'h3' });
    const accepting = acceptWebTransport(base.server, { protocols: ['moqt-18'], requireProtocol: 'always' });
    const connecting = connectWebTransport(base.client, { authority, path: '/', protocols: ['moqt-99'] });
    await Promise.all([
      expect(accepting).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' }),
      expect(connecting).rejects.toMatchObject({
        code: 'RELAY_UNREACHABLE',
        message: 'the relay answered 400: wt-available-protocols must hold one of "moqt-18"',
      }),
    ]);
    expect((await base.server.closed).code).toBe(http3Code.noError);
  });

  it('answers a GET with 404 and still takes the session that follows', async () => {
    const base = memoryPair({ protocol: 'h3' });
    const accepting = acceptWebTransport(base.server, { protocols: [] });
    const control = base.client.openUni();
    control.write(concat([Uint8Array.of(0), encodeFrame({ type: 'settings', bytes: encodeSettings(ourSettings) })]));
    const get = base.client.openBidi();
    get.send.write(request({ ':method': 'GET', ':scheme': 'https', ':authority': authority, ':path': '/' }));
    get.send.finish();
    expect(await answer(get)).toMatchObject({ status: '404', body: 'this is a WebTransport endpoint\n' });
    const connect = base.client.openBidi();
    connect.send.write(request({ ...webTransport, ':path': '/second' }));
    const session = await accepting;
    expect(session.path).toBe('/second');
    // The CONNECT was the second request: its stream id is 4.
    const stream = base.client.openUni();
    stream.write(concat([encodeStreamHeader('uni', 4), utf8('hello')]));
    stream.finish();
    expect(await readAll((await session.acceptUni())!)).toEqual(utf8('hello'));
    base.drop();
  });

  const malformed: [name: string, fields: Record<string, string>][] = [
    ['no https', { ...webTransport, ':scheme': 'http' }],
    ['no authority', { ':method': 'CONNECT', ':scheme': 'https', ':path': '/', ':protocol': 'webtransport' }],
    ['no path', { ...webTransport, ':path': '' }],
    ['a broken list', { ...webTransport, 'wt-available-protocols': '"moqt-18' }],
  ];
  for (const [name, fields] of malformed) {
    it(`answers a CONNECT with ${name} with 400`, async () => {
      const base = memoryPair({ protocol: 'h3' });
      const accepting = acceptWebTransport(base.server, { protocols: ['moqt-18'] });
      const connect = base.client.openBidi();
      connect.send.write(request(fields));
      expect((await answer(connect)).status).toBe('400');
      await expect(accepting).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
      base.drop();
    });
  }

  it('does not wait for ever', async () => {
    const base = memoryPair({ protocol: 'h3' });
    await expect(acceptWebTransport(base.server, { protocols: [], handshakeTimeoutMs: 20 })).rejects.toMatchObject({
      code: 'TIMEOUT',
    });
    expect((await base.client.closed).by).toBe('peer');
  });

  it('ends when the connection is lost', async () => {
    const base = memoryPair({ protocol: 'h3' });
    const accepting = acceptWebTransport(base.server, { protocols: [] });
    const connecting = connectWebTransport(base.client, { authority, path: '/', protocols: [] });
    base.drop();
    await expect(accepting).rejects.toMatchObject({ code: 'TRANSPORT_CLOSED' });
    await expect(connecting).rejects.toMatchObject({ code: 'TRANSPORT_CLOSED' });
  });

  it('says so when the server has no WebTransport', async () => {
    const base = memoryPair({ protocol: 'h3' });
    const connecting = connectWebTransport(base.client, { authority, path: '/', protocols: [] });
    base.server.openUni().write(Uint8Array.of(0, 4, 0));
    await expect(connecting).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    expect((await base.server.closed).by).toBe('peer');
  });
});

describe('WebTransport session', () => {
  it('takes the streams that come before its CONNECT', async () => {
    const base = memoryPair({ protocol: 'h3' });
    const early = base.client.openUni();
    early.write(concat([encodeStreamHeader('uni', 0), utf8('early')]));
    early.finish();
    const accepting = acceptWebTransport(base.server, { protocols: [] });
    await new Promise(setImmediate);
    base.client.openBidi().send.write(request(webTransport));
    const session = await accepting;
    expect(await readAll((await session.acceptUni())!)).toEqual(utf8('early'));
    base.drop();
  });

  it('reads a stream header cut into bytes', async () => {
    const { base, server } = await pair({ offered: [], supported: [] });
    const stream = base.client.openUni();
    for (const byte of concat([encodeStreamHeader('uni', 0), utf8('xy')])) stream.write(Uint8Array.of(byte));
    stream.finish();
    expect(await readAll((await server.acceptUni())!)).toEqual(utf8('xy'));
    base.drop();
  });

  it('stops streams of another session and of unknown types, and lives on', async () => {
    const { base, client, server } = await pair({ offered: [], supported: [] });
    const other = base.client.openUni();
    other.write(encodeStreamHeader('uni', 4));
    expect(await other.stopped).toBe(http3Code.bufferedStreamRejected);
    const grease = base.client.openUni();
    grease.write(Uint8Array.of(0x21, 1, 2, 3));
    expect(await grease.stopped).toBe(http3Code.streamCreationError);
    expect(base.client.sendDatagram(Uint8Array.of(1, 9, 9))).toBe(true);
    client.sendDatagram(utf8('ours'));
    expect(await server.receiveDatagram()).toEqual(utf8('ours'));
    base.drop();
  });

  it('passes the one-to-many write through to the socket', async () => {
    const base = memoryPair({ protocol: 'h3' });
    const target: FanOutWriter = { writeMany: () => Uint8Array.of(1) };
    const made: SendStream[] = [];
    const fanning = new Proxy(base.client, {
      get: (transport, key) => {
        if (key === 'openUni')
          return () => {
            made.push(Object.assign(transport.openUni(), { fanOut: target }));
            return made.at(-1);
          };
        const value: unknown = Reflect.get(transport, key, transport);
        return typeof value === 'function' ? value.bind(transport) : value;
      },
    });
    const [client] = await Promise.all([
      connectWebTransport(fanning, { authority, path: '/', protocols: [] }),
      acceptWebTransport(base.server, { protocols: [] }),
    ]);
    const stream = client.openUni();
    expect(stream.fanOut).toBe(target);
    expect(stream.id).toBe(made.at(-1)!.id);
    base.drop();
  });

  it('takes no more streams from the socket than it can hand out, and loses none', async () => {
    const base = memoryPair({ protocol: 'h3' });
    let taken = 0;
    const counting = new Proxy(base.server, {
      get: (transport, key) => {
        const value: unknown = Reflect.get(transport, key, transport);
        if (key === 'acceptUni') taken++;
        return typeof value === 'function' ? value.bind(transport) : value;
      },
    });
    const [client, server] = await Promise.all([
      connectWebTransport(base.client, { authority, path: '/', protocols: [] }),
      acceptWebTransport(counting, { protocols: [] }),
    ]);
    for (let i = 0; i < 1000; i++) {
      const stream = client.openUni();
      stream.write(Uint8Array.of(i >> 8, i & 0xff));
      stream.finish();
    }
    await new Promise(setImmediate);
    expect(taken).toBeGreaterThan(200);
    expect(taken).toBeLessThan(300);
    for (let i = 0; i < 1000; i++) {
      expect(await readAll((await server.acceptUni())!)).toEqual(Uint8Array.of(i >> 8, i & 0xff));
    }
    base.drop();
  });

  it('is closed by the FIN of its CONNECT stream, without capsule', async () => {
    const base = memoryPair({ protocol: 'h3' });
    const accepting = acceptWebTransport(base.server, { protocols: [] });
    const connect = base.client.openBidi();
    connect.send.write(request(webTransport));
    const session = await accepting;
    connect.send.finish();
    expect(await session.closed).toEqual({ by: 'peer', code: 0, reason: '' });
    base.drop();
  });

  const violations: [name: string, http3Code: number, bytes: Uint8Array, kind: 'uni' | 'bidi'][] = [
    ['a control stream without SETTINGS', http3Code.missingSettings, Uint8Array.of(0, 7, 1, 0), 'uni'],
    ['a push stream', http3Code.streamCreationError, Uint8Array.of(1, 0), 'uni'],
    ['a stream of a session that cannot be', http3Code.idError, Uint8Array.of(0x40, 0x54, 1), 'uni'],
    ['DATA before HEADERS', http3Code.frameUnexpected, Uint8Array.of(0, 1, 1), 'bidi'],
    ['a broken field section', http3Code.qpackDecompressionFailed, Uint8Array.of(1, 3, 0, 0, 0x80), 'bidi'],
  ];
  for (const [name, code, bytes, kind] of violations) {
    it(`closes the connection for ${name}`, async () => {
      const base = memoryPair({ protocol: 'h3' });
      const accepting = acceptWebTransport(base.server, { protocols: [] });
      (kind === 'uni' ? base.client.openUni() : base.client.openBidi().send).write(bytes);
      await expect(accepting).rejects.toMatchObject({ http3Code: code });
      expect(await base.client.closed).toMatchObject({ by: 'peer', code });
    });
  }

  it('closes the connection when the control stream ends', async () => {
    const base = memoryPair({ protocol: 'h3' });
    const accepting = acceptWebTransport(base.server, { protocols: [] });
    const control = base.client.openUni();
    control.write(Uint8Array.of(0, 4, 0));
    base.client.openBidi().send.write(request(webTransport));
    const session = await accepting;
    control.finish();
    expect((await base.client.closed).code).toBe(http3Code.closedCriticalStream);
    expect((await session.closed).by).toBe('transport');
  });
});

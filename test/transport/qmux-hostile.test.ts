import { request } from 'node:http';
import { connect as connectTcp, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { decodeRecord, encodeFrame, type QmuxFrame } from '../../src/codec/qmux/frames.ts';
import { defaultParameters, type QmuxParameters } from '../../src/codec/qmux/parameters.ts';
import { concat, fromHex } from '../../src/core/bytes.ts';
import { connectQmux } from '../../src/transport/qmux/connect.ts';
import type { Transport } from '../../src/transport/transport.ts';
import { broken, plain } from '../codec/qmux/wire.ts';
import { type QmuxServer, qmuxServer } from './qmux-pair.ts';
import { pattern, readAll } from './streams.ts';

const generous: QmuxParameters = {
  ...defaultParameters,
  initialMaxData: 2 ** 40,
  initialMaxStreamDataBidiLocal: 2 ** 40,
  initialMaxStreamDataBidiRemote: 2 ** 40,
  initialMaxStreamDataUni: 2 ** 40,
  initialMaxStreamsBidi: 1000,
  initialMaxStreamsUni: 1000,
  maxDatagramFrameSize: 16_382,
};

/** A client that says on the WebSocket whatever it is told to. */
class RawClient {
  readonly socket: WebSocket;
  readonly frames: QmuxFrame[] = [];
  readonly closed: Promise<void>;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data) => this.frames.push(...decodeRecord(new Uint8Array(data as Buffer))));
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
  }

  static async open(server: QmuxServer, options: { greet?: boolean } = {}): Promise<[RawClient, Transport]> {
    const client = new RawClient(new WebSocket(server.url, ['qmux-02.moqt-18'], { perMessageDeflate: false }));
    await new Promise((resolve, reject) => client.socket.once('open', resolve).once('error', reject));
    if (options.greet !== false) client.send(encodeFrame({ type: 'parameters', parameters: generous }));
    return [client, await server.accepted()];
  }

  send(...parts: (Uint8Array | string)[]): void {
    this.socket.send(concat(parts.map((part) => (typeof part === 'string' ? fromHex(plain(part)) : part))));
  }

  get close(): Extract<QmuxFrame, { type: 'close' }> | undefined {
    return this.frames.find((frame) => frame.type === 'close');
  }
}

/** Beneath the WebSocket. */
function rawSocket({ socket }: RawClient): Socket {
  return (socket as unknown as { _socket: Socket })._socket;
}

const hostile: { name: string; code: number; send(client: RawClient): void; greet?: boolean; limits?: object }[] = [
  ...broken.map(({ name, hex, closeCode }) => ({
    name,
    code: closeCode,
    greet: !hex.startsWith('ff51'),
    send: (client: RawClient) => client.send(hex),
  })),
  { name: 'a frame before the parameters', code: 10, greet: false, send: (client) => client.send('10 40ff') },
  {
    name: 'parameters twice',
    code: 10,
    send: (client) => client.send(encodeFrame({ type: 'parameters', parameters: generous })),
  },
  { name: 'a text message', code: 10, send: (client) => client.socket.send('hello') },
  { name: 'a record too large', code: 7, send: (client) => client.send(new Uint8Array(16_383)) },
  { name: 'data out of order', code: 10, send: (client) => client.send('0e 02 01 01 ff') },
  { name: 'data on a stream that only we write', code: 5, send: (client) => client.send('0a 03 01 ff') },
  { name: 'data on a stream of ours that is not there', code: 5, send: (client) => client.send('0a 01 01 ff') },
  { name: 'STOP_SENDING of its own stream', code: 5, send: (client) => client.send('05 02 00') },
  { name: 'MAX_STREAM_DATA of a stream that is not there', code: 5, send: (client) => client.send('11 03 40ff') },
  { name: 'a stream above the limit', code: 4, send: (client) => client.send('08 5002') },
  {
    name: 'a reset that says more than there was credit for',
    code: 3,
    send: (client) => client.send('04 02 00 bfffffff'),
  },
  {
    name: 'more on a stream than there was credit for',
    code: 3,
    limits: { streamReceiveWindow: 10_000 },
    send: (client) => client.send('08 02', new Uint8Array(10_001)),
  },
  {
    name: 'more on all streams than there was credit for',
    code: 3,
    limits: { connectionReceiveWindow: 10_000 },
    send: (client) => {
      client.send('08 02', new Uint8Array(6000));
      client.send('08 06', new Uint8Array(6000));
    },
  },
  {
    name: 'pings that count backwards',
    code: 10,
    send: (client) => client.send('f48c67529ef8c7bd 05 f48c67529ef8c7bd 04'),
  },
  { name: 'an answer to no ping', code: 10, send: (client) => client.send('f48c67529ef8c7be 4064') },
];

describe('a hostile peer of QMux', () => {
  it.each(hostile)('is closed for $name, and nobody else', async ({ code, send, greet = true, limits }) => {
    const server = await qmuxServer({ ...(limits !== undefined && { limits }) });
    const good = await connectQmux({ url: server.url, versions: ['moqt-18'] });
    const goodServer = await server.accepted();
    const [client, transport] = await RawClient.open(server, { greet });
    send(client);
    expect(await transport.closed).toMatchObject({ by: 'transport', code });
    await client.closed;
    expect(client.close).toMatchObject({ by: 'transport', code });
    const stream = good.openUni();
    stream.write(pattern(1000));
    stream.finish();
    expect(await readAll((await goodServer.acceptUni())!)).toEqual(pattern(1000));
    good.close({ code: 0, reason: '' });
    await server.close();
  });

  it.each([
    ['a message larger than the socket takes', (client: RawClient) => client.socket.send(new Uint8Array(1 << 20))],
    ['bytes that are no WebSocket', (client: RawClient) => rawSocket(client).write(new Uint8Array(100).fill(0xff))],
    ['a lost connection', (client: RawClient) => client.socket.terminate()],
  ])('ends by the transport for %s', async (_name, send) => {
    const server = await qmuxServer();
    const [client, transport] = await RawClient.open(server);
    send(client);
    expect(await transport.closed).toEqual({ by: 'transport', code: 0, reason: 'connection lost' });
    await client.closed;
    await server.close();
  });

  it('may close the WebSocket without a word of QMux, or close QMux itself', async () => {
    const server = await qmuxServer();
    const [silent, first] = await RawClient.open(server);
    silent.socket.close(1001);
    expect(await first.closed).toEqual({ by: 'peer', code: 0, reason: '' });
    const [polite, second] = await RawClient.open(server);
    polite.send(encodeFrame({ type: 'close', by: 'application', code: 9, reason: 'enough' }));
    expect(await second.closed).toEqual({ by: 'peer', code: 9, reason: 'enough' });
    const [cross, third] = await RawClient.open(server);
    cross.send(encodeFrame({ type: 'close', by: 'transport', code: 10, reason: 'you broke it' }));
    expect(await third.closed).toEqual({ by: 'transport', code: 10, reason: 'you broke it' });
    await Promise.all([polite.closed, cross.closed]);
    await server.close();
  });

  it('cannot bring back a stream that is over, nor be paid twice for it', async () => {
    const server = await qmuxServer();
    const [client, transport] = await RawClient.open(server);
    client.send('0b 02 02 6869');
    expect(await readAll((await transport.acceptUni())!)).toEqual(Uint8Array.of(0x68, 0x69));
    for (let i = 0; i < 5000; i++) client.send('0b 02 02 6869', '04 02 00 05');
    client.send('0b 06 01 21');
    expect(await readAll((await transport.acceptUni())!)).toEqual(Uint8Array.of(0x21));
    expect(client.frames.filter(({ type }) => type === 'max-streams')).toEqual([]);
    await server.close();
  });

  it('takes streams in any order of their ids', async () => {
    const server = await qmuxServer();
    const [client, transport] = await RawClient.open(server);
    client.send('0b 0a 01 03', '0b 02 01 01', '0b 06 01 02');
    for (const wanted of [3, 1, 2])
      expect(await readAll((await transport.acceptUni())!)).toEqual(Uint8Array.of(wanted));
    await server.close();
  });

  // As @moq/publish 0.2 does.
  it('may leave the offsets of a stream out: it goes on where it was', async () => {
    const server = await qmuxServer();
    const [client, transport] = await RawClient.open(server);
    client.send('0a 02 02 6869', '0a 02 01 21');
    client.send('0b 02 00');
    expect(await readAll((await transport.acceptUni())!)).toEqual(Uint8Array.of(0x68, 0x69, 0x21));
    await server.close();
  });

  it('floods with pings, credit and padding, and is answered in one breath', async () => {
    const server = await qmuxServer();
    const [client, transport] = await RawClient.open(server);
    const flood: Uint8Array[] = [];
    for (let i = 0; i < 500; i++) {
      flood.push(encodeFrame({ type: 'ping', response: false, sequence: BigInt(i) }), new Uint8Array(8));
      flood.push(encodeFrame({ type: 'max-data', max: i }), fromHex('14 05'));
    }
    client.send(concat(flood));
    client.send('0b 02 01 21');
    await readAll((await transport.acceptUni())!);
    await expect.poll(() => client.frames.some((frame) => frame.type === 'ping' && frame.response)).toBe(true);
    const answers = client.frames.filter((frame) => frame.type === 'ping' && frame.response);
    expect(answers).toEqual([{ type: 'ping', response: true, sequence: 499n }]);
    await server.close();
  });

  it('that says nothing is closed after the handshake deadline, and one that falls silent after the idle timeout', async () => {
    const server = await qmuxServer({ limits: { handshakeTimeoutMs: 100, idleTimeoutMs: 300 } });
    const [mute, never] = await RawClient.open(server, { greet: false });
    expect(await never.closed).toMatchObject({ by: 'transport', reason: 'no transport parameters in time' });
    const [silent, gone] = await RawClient.open(server);
    silent.socket.pause();
    expect(await gone.closed).toMatchObject({ by: 'transport', reason: 'idle timeout' });
    mute.socket.terminate();
    silent.socket.terminate();
    await server.close();
  });

  it('is told in HTTP why it gets no session', async () => {
    let refused: string | undefined;
    const server = await qmuxServer({ maxSessions: 1, refuse: () => refused });
    const upgrade = (headers: Record<string, string>) =>
      new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
        const asked = request({ port: server.port, host: '127.0.0.1', headers: { connection: 'upgrade', ...headers } });
        asked.on('error', reject);
        asked.on('response', (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (part) => {
            text += part;
          });
          response.on('end', () => resolve({ status: response.statusCode, text }));
        });
        asked.end();
      });
    const webSocket = {
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    };
    expect(await upgrade({ upgrade: 'h2c' })).toMatchObject({
      status: 426,
      text: expect.stringContaining('websocket'),
    });
    expect(await upgrade({ ...webSocket, 'sec-websocket-version': '8' })).toMatchObject({ status: 426 });
    expect(await upgrade(webSocket)).toMatchObject({ status: 400, text: expect.stringContaining('qmux-01.moqt-18') });
    const good = { ...webSocket, 'sec-websocket-protocol': 'chat, qmux-01.moqt-18' };
    refused = 'not today';
    expect(await upgrade(good)).toEqual({ status: 429, text: 'not today\n' });
    refused = undefined;
    const only = await connectQmux({ url: server.url, versions: ['moqt-18'] });
    expect(await upgrade(good)).toMatchObject({ status: 503, text: expect.stringContaining('full') });
    const no = connectQmux({ url: server.url, versions: ['moqt-99'] });
    await expect(no).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('no subprotocol in common'),
    });
    only.close({ code: 0, reason: '' });
    await expect.poll(() => server.upgrade.sessions).toBe(0);
    // Half an upgrade, and gone.
    await new Promise<void>((resolve) => {
      const socket = connectTcp(server.port, '127.0.0.1', () => {
        socket.write(
          'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n',
        );
        socket.destroy();
      }).on('close', () => resolve());
    });
    await server.close();
  });
});

it('codes of resets up to the largest of the wire end their stream and nothing else', async () => {
  const server = await qmuxServer();
  const [client, transport] = await RawClient.open(server);
  const largest = 'ffffffffffffffff';
  const ours = transport.openUni();
  ours.write(pattern(100, 1));
  await expect.poll(() => client.frames.filter(({ type }) => type === 'stream').length).toBe(1);
  client.send(`05 03 ${largest}`);
  expect(await ours.stopped).toBeGreaterThanOrEqual(Number.MAX_SAFE_INTEGER);
  await expect.poll(() => client.frames.find(({ type }) => type === 'reset-stream')).toBeDefined();
  client.send('0a 02 01 61', `04 02 ${largest} 01`, '0b 06 02 6162');
  await expect(readAll((await transport.acceptUni())!)).rejects.toMatchObject({ code: 'STREAM_RESET' });
  expect(await readAll((await transport.acceptUni())!)).toHaveLength(2);
  expect(client.close).toBeUndefined();
  await server.close();
});

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { AmfValue } from '../../../src/codec/rtmp/amf0.ts';
import { ChunkDecoder } from '../../../src/codec/rtmp/chunk-decoder.ts';
import { encodeChunks } from '../../../src/codec/rtmp/chunk-encoder.ts';
import { command, decodeCommand, type RtmpCommand } from '../../../src/codec/rtmp/control.ts';
import { messageType } from '../../../src/codec/rtmp/message.ts';
import { concat, fromHex } from '../../../src/core/bytes.ts';
import { StreamsError } from '../../../src/core/errors.ts';
import type { MediaUnit } from '../../../src/core/media-unit.ts';
import type { IngestPublisher } from '../../../src/engine/channels.ts';
import { RtmpServer, type RtmpServerOptions } from '../../../src/engine/ingest/rtmp/server.ts';
import { grant, inputId, until } from '../harness.ts';

const avcC = fromHex('0164001effe1001a6764001eacd980a02ff97011000003000100000300320f162d9a01000668e97892c8b0fdf8f800');
const config = concat([fromHex('17 00 000000'), avcC]);
const frame = fromHex('17 01 000000 00000002 6588');

async function serve(options: Partial<RtmpServerOptions> = {}) {
  const units: MediaUnit[] = [];
  const ends: boolean[] = [];
  const warnings: string[] = [];
  const server = await RtmpServer.listen({
    host: '127.0.0.1',
    port: 0,
    authorise: async ({ streamKey }) => {
      if (streamKey !== 'right') throw new StreamsError('UNAUTHORIZED', 'wrong stream key');
      return grant;
    },
    publish: () => ({ push: (unit) => units.push(unit), end: (clean) => ends.push(clean) }),
    logger: {
      debug() {},
      info() {},
      warn: (_message, fields) => warnings.push(String(fields?.code ?? fields?.address)),
      error() {},
    },
    ...options,
  });
  return { server, units, ends, warnings, [Symbol.asyncDispose]: () => server.close() };
}

/** A client that has shaken hands. */
class Client {
  readonly socket: Socket;
  readonly replies: RtmpCommand[] = [];
  readonly closed: Promise<unknown>;

  /** `stays`: its side stays open when the server has closed its own. */
  constructor(port: number, stays = false) {
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen: stays });
    this.closed = once(this.socket, 'close');
    this.socket.on('error', () => {});
    const decoder = new ChunkDecoder();
    let skip = 1 + 2 * 1536;
    this.socket.on('data', (bytes) => {
      const rest = bytes.subarray(Math.min(skip, bytes.length));
      skip -= bytes.length - rest.length;
      for (const message of decoder.push(rest))
        if (message.type === messageType.commandAmf0) this.replies.push(decodeCommand(message));
    });
    this.socket.write(concat([new Uint8Array([3]), new Uint8Array(2 * 1536)]));
  }

  command(streamId: number, ...values: AmfValue[]): void {
    this.socket.write(encodeChunks(command(streamId, ...values), 3, 128));
  }

  publish(name: string): void {
    this.command(0, 'connect', 1, { app: 'live', tcUrl: 'rtmp://127.0.0.1/live' });
    this.command(0, 'createStream', 2, null);
    this.command(1, 'publish', 3, null, name, 'live');
  }

  video(timestamp: number, payload: Uint8Array): Uint8Array {
    return encodeChunks({ type: messageType.video, streamId: 1, timestamp, payload }, 4, 128);
  }

  /** The code of the first onStatus. */
  async status(): Promise<unknown> {
    await until(() => this.replies.some((reply) => reply.name === 'onStatus'), 'a status');
    return (this.replies.find((reply) => reply.name === 'onStatus')!.args[0] as { code: string }).code;
  }
}

describe('an RTMP connection', () => {
  it('publishes; media that comes before the answer is kept', async () => {
    await using run = await serve();
    const client = new Client(run.server.port);
    client.publish(`${inputId}?sk=right`);
    client.socket.write(concat([client.video(0, config), client.video(0, frame)]));
    expect(await client.status()).toBe('NetStream.Publish.Start');
    await until(() => run.units.length === 1, 'the unit');
    client.command(1, 'deleteStream', 4, null, 1);
    await client.closed;
    expect(run.ends).toEqual([true]);
    expect(run.warnings).toEqual([]);
  });

  it('may not begin messages of any size before its key was looked at', async () => {
    await using run = await serve();
    const client = new Client(run.server.port);
    client.socket.write(fromHex('02 000000 000004 01 00000000 00000001'));
    const onePiece = new Uint8Array([0xc4, 0]);
    const pieces = concat(Array.from({ length: 300 << 10 }, () => onePiece));
    client.socket.write(concat([fromHex('04 000000 ffffff 09 01000000 00'), pieces]));
    await client.closed;
    expect(run.warnings).toEqual(['LIMIT_EXCEEDED']);
  });

  it('cut in the middle of a message gives no unit of it', async () => {
    await using run = await serve();
    const client = new Client(run.server.port);
    client.publish(`${inputId}?sk=right`);
    await client.status();
    client.socket.write(
      concat([client.video(0, config), client.video(0, frame), client.video(40, frame).subarray(0, 20)]),
    );
    await until(() => run.units.length === 1, 'the whole unit');
    client.socket.resetAndDestroy();
    await until(() => run.ends.length === 1, 'the end');
    expect(run.ends).toEqual([false]);
    expect(run.units).toHaveLength(1);
  });

  it('with a wrong key is told so, and closed', async () => {
    await using run = await serve();
    const client = new Client(run.server.port);
    client.publish(`${inputId}?sk=wrong`);
    client.socket.write(client.video(0, config));
    expect(await client.status()).toBe('NetStream.Publish.Unauthorized');
    await client.closed;
    expect(run.warnings).toEqual(['UNAUTHORIZED']);
    expect(run.units).toEqual([]);
  });

  it.each([
    ['refused', `${inputId}?sk=wrong`],
    ['replaced', `${inputId}?sk=right`],
  ])('that was %s and goes on sending gives its place back', async (_, name) => {
    const publishers: IngestPublisher[] = [];
    await using run = await serve({
      publish: (_grant, _key, publisher) => {
        publishers.push(publisher);
        return { push: () => {}, end: () => {} };
      },
    });
    const client = new Client(run.server.port, true);
    client.publish(name);
    const sending = setInterval(() => client.socket.write(client.video(0, frame)), 20);
    try {
      await client.status();
      for (const publisher of publishers) publisher.replaced();
      await until(() => run.server.connections === 0, 'its place');
    } finally {
      clearInterval(sending);
      client.socket.destroy();
    }
  });

  it('with another name than an input id, or for playback, is told so', async () => {
    await using run = await serve();
    const wrong = new Client(run.server.port);
    wrong.publish('stream?sk=right');
    expect(await wrong.status()).toBe('NetStream.Publish.BadName');
    const player = new Client(run.server.port);
    player.command(0, 'connect', 1, { app: 'live' });
    player.command(1, 'play', 2, null, inputId);
    expect(await player.status()).toBe('NetStream.Failed');
    await Promise.all([wrong.closed, player.closed]);
  });

  it('names the codec it cannot take', async () => {
    await using run = await serve();
    const client = new Client(run.server.port);
    client.publish(`${inputId}?sk=right`);
    await client.status();
    client.socket.write(client.video(0, fromHex('22 00')));
    await client.closed;
    expect(run.warnings).toEqual(['UNSUPPORTED']);
    expect(client.replies.at(-1)!.args[0]).toMatchObject({
      level: 'error',
      description: expect.stringContaining('H.263'),
    });
  });

  it('that sends media unasked is closed', async () => {
    await using run = await serve();
    const client = new Client(run.server.port);
    client.socket.write(client.video(0, config));
    await client.closed;
    expect(run.warnings).toEqual(['PROTOCOL_VIOLATION']);
  });

  it('that never publishes, or falls silent, is closed in time', async () => {
    await using run = await serve({ handshakeMs: 50 });
    await new Client(run.server.port).closed;
    await using silent = await serve({ idleMs: 50 });
    const client = new Client(silent.server.port);
    client.publish(`${inputId}?sk=right`);
    await client.closed;
    expect([...run.warnings, ...silent.warnings]).toEqual(['TIMEOUT', 'TIMEOUT']);
    expect(silent.ends).toEqual([false]);
  });

  it('is one of a few per address', async () => {
    await using run = await serve({ maxPerAddress: 2 });
    const kept = [new Client(run.server.port), new Client(run.server.port)];
    await until(() => run.server.connections === 2, 'two connections');
    await new Client(run.server.port).closed;
    expect(run.server.connections).toBe(2);
    for (const client of kept) client.socket.destroy();
    await until(() => run.server.connections === 0, 'none');
    expect(run.warnings).toEqual(['127.0.0.1']);
  });
});

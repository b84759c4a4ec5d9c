import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { encodeFrame } from '../../src/codec/qmux/frames.ts';
import { defaultParameters } from '../../src/codec/qmux/parameters.ts';
import { connectQmux } from '../../src/transport/qmux/connect.ts';
import { qmuxPair, qmuxServer } from './qmux-pair.ts';
import { pattern, readAll, writeAll } from './streams.ts';

describe('QMux under load', () => {
  it('moves 64 MiB, intact, with little in memory', async () => {
    const { client, server, close } = await qmuxPair();
    const piece = pattern(64 * 1024);
    const stream = server.openUni();
    const sending = (async () => {
      for (let i = 0; i < 1024; i++) await writeAll(stream, piece, piece.length);
      stream.finish();
    })();
    const reader = (await client.acceptUni())!;
    let at = 0;
    for (let part = await reader.read(); part !== null; part = await reader.read()) {
      for (let i = 0; i < part.length; i += 997)
        if (part[i] !== piece[(at + i) % piece.length]) throw new Error('wrong byte');
      at += part.length;
    }
    await sending;
    expect(at).toBe(64 * 1024 * 1024);
    await close();
  });

  it('carries 5000 short streams both ways beyond the limit of open ones', async () => {
    const { client, server, close } = await qmuxPair({ limits: { maxIncomingUni: 64, maxIncomingBidi: 8 } });
    const count = 5000;
    for (let i = 0; i < count; i++) {
      const stream = client.openUni();
      stream.write(Uint8Array.of(i >> 8, i & 0xff));
      stream.finish();
    }
    for (let i = 0; i < count; i++) {
      const got = await readAll((await server.acceptUni())!);
      expect(got[0]! * 256 + got[1]!).toBe(i);
    }
    for (let i = 0; i < 200; i++) {
      const { send, receive } = client.openBidi();
      send.write(Uint8Array.of(i));
      send.finish();
      const theirs = (await server.acceptBidi())!;
      await readAll(theirs.receive);
      theirs.send.finish();
      await readAll(receive);
    }
    await close();
  });

  it('gives the slots of streams that were reset, stopped or refused unread back', async () => {
    const { client, server, close } = await qmuxPair({ limits: { maxIncomingUni: 4, maxIncomingBidi: 4 } });
    for (let i = 0; i < 40; i++) {
      const stream = client.openUni();
      stream.write(pattern(2000));
      const reader = (await server.acceptUni())!;
      if (i % 2 === 0) stream.reset(1);
      else reader.stop(1);
      const bidi = client.openBidi();
      // Before its first byte: the peer sees it come and go.
      if (i % 2 === 0) bidi.send.reset(1);
      else bidi.send.write(pattern(10));
      const theirs = (await server.acceptBidi())!;
      theirs.receive.stop(2);
      theirs.send.reset(3);
      expect(await bidi.receive.read().catch((error: { resetCode: number }) => error.resetCode)).not.toBeNull();
    }
    await close();
  });

  it('sends what is more urgent first once the peer lets it', async () => {
    const server = await qmuxServer({ limits: { connectionReceiveWindow: 100_000 } });
    const client = await connectQmux({ url: server.url, versions: ['moqt-18'] });
    const end = await server.accepted();
    const streams = Array.from({ length: 10 }, (_, i) => client.openUni({ priority: i }));
    for (const [i, stream] of streams.entries()) {
      await writeAll(stream, pattern(200_000, i));
      stream.finish();
    }
    streams[0]!.setPriority(1000);
    const order: number[] = [];
    for (let i = 0; i < 10; i++) {
      const got = await readAll((await end.acceptUni())!);
      order.push(streams.findIndex((_, at) => Buffer.compare(got, pattern(200_000, at)) === 0));
    }
    expect(order.indexOf(0)).toBeLessThan(2);
    expect(order.filter((at) => at !== 0)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1]);
    client.close({ code: 0, reason: '' });
    await server.close();
  });

  it('holds little for a viewer that has stopped reading from its socket', async () => {
    const server = await qmuxServer({ limits: { streamHighWaterBytes: 100_000 } });
    const socket = new WebSocket(server.url, ['qmux-01.moqt-18']);
    await new Promise((resolve) => socket.once('open', resolve));
    const unlimited = { initialMaxData: 2 ** 50, initialMaxStreamDataUni: 2 ** 50, initialMaxStreamsUni: 2 ** 20 };
    socket.send(encodeFrame({ type: 'parameters', parameters: { ...defaultParameters, ...unlimited } }));
    const transport = await server.accepted();
    socket.pause();
    const stream = transport.openUni();
    // What the kernel takes comes first; then the stream fills up and stays full.
    const piece = pattern(50_000);
    let taken = 0;
    for (let refusals = 0; refusals < 50; ) {
      if (stream.write(piece)) {
        taken += piece.length;
        refusals = 0;
      } else {
        refusals++;
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (taken > 2 ** 28) throw new Error('nothing pushes back');
    }
    const held = taken - transport.stats().bytesSent;
    expect(held).toBeLessThanOrEqual(150_000);
    expect(stream.queuedBytes).toBeLessThanOrEqual(150_000);
    let datagrams = 0;
    while (transport.sendDatagram(pattern(1000))) if (++datagrams > 2000) throw new Error('datagrams pile up');
    stream.reset(1);
    expect(stream.queuedBytes).toBe(0);
    socket.terminate();
    expect(await transport.closed).toMatchObject({ by: 'transport' });
    await server.close();
  });

  it('keeps a quiet connection open, and measures its round trip', async () => {
    const { client, server, close } = await qmuxPair(
      { limits: { idleTimeoutMs: 300 } },
      { limits: { idleTimeoutMs: 60_000 } },
    );
    const before = server.stats().bytesReceived;
    // Three idle timeouts long there is nothing but pings.
    const until = performance.now() + 900;
    await expect.poll(() => performance.now() > until, { timeout: 5000 }).toBe(true);
    expect(server.stats().bytesReceived).toBeGreaterThan(before);
    expect(server.stats().rttMs).toBeGreaterThan(0);
    const stream = client.openUni();
    stream.finish();
    expect(await (await server.acceptUni())!.read()).toBeNull();
    await close();
  });

  it('is given up by the signal and by the timeout while connecting', async () => {
    const server = await qmuxServer({ refuse: () => undefined });
    const abort = new AbortController();
    const connecting = connectQmux({ url: server.url, versions: ['moqt-18'], signal: abort.signal });
    abort.abort();
    await expect(connecting).rejects.toMatchObject({ code: 'INTERRUPTED' });
    await expect(connectQmux({ url: 'https://127.0.0.1/', versions: [] })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await server.close();
    await expect(connectQmux({ url: `${server.url}/?tok=secret`, versions: ['moqt-18'] })).rejects.toMatchObject({
      code: 'RELAY_UNREACHABLE',
      message: expect.not.stringContaining('secret'),
    });
  });
});

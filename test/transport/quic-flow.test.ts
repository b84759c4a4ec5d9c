import { describe, expect, it } from 'vitest';
import { bytesEqual } from '../../src/core/bytes.ts';
import { writeToMany } from '../../src/transport/fan-out.ts';
import { sharedSocket } from '../../src/transport/quic/shared-socket.ts';
import type { ReceiveStream, SendStream } from '../../src/transport/transport.ts';
import { quicPair, testConnect, testListener, until } from '../helpers/quic.ts';
import { pattern, readAll, writeAll } from './streams.ts';

const mebibyte = 1024 * 1024;

/** Writes until the stream refuses; answers how many bytes it took. */
async function fill(stream: SendStream, chunk: Uint8Array, most: number): Promise<number> {
  let taken = 0;
  // Refused for a while, not for an instant: what was under way has arrived.
  for (let refusals = 0; refusals < 40; ) {
    if (stream.write(chunk)) {
      refusals = 0;
      taken += chunk.length;
      if (taken > most) return taken;
    } else {
      refusals++;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
  return taken;
}

describe('quic under pressure', () => {
  it('a stalled reader stalls the writer within bounds, and frees it by reading', async () => {
    const { client, server, close } = await quicPair({ streamReceiveWindow: mebibyte / 2 });
    const stream = client.openUni();
    const chunk = pattern(64 * 1024);
    stream.write(chunk);
    const receive = (await server.acceptUni())!;
    const taken = (await fill(stream, chunk, 64 * mebibyte)) + chunk.length;
    // High-water mark + the window of the stream + what waits in JavaScript, and a chunk.
    expect(taken).toBeLessThan(2 * mebibyte);
    expect(stream.queuedBytes).toBeGreaterThanOrEqual(mebibyte / 2);
    expect(stream.write(chunk)).toBe(false);
    // Other streams of the connection are not held up.
    const other = client.openUni();
    other.write(pattern(1000));
    other.finish();
    expect(await readAll((await server.acceptUni())!)).toEqual(pattern(1000));
    let read = 0;
    const writable = stream.writable();
    const draining = (async () => {
      for (let part = await receive.read(); part !== null; part = await receive.read()) read += part.length;
    })();
    await writable;
    expect(stream.write(chunk)).toBe(true);
    stream.finish();
    await draining;
    expect(read).toBe(taken + chunk.length);
    await close();
  });

  it('many stalled streams are bounded by the window of the connection', async () => {
    const { client, server, close } = await quicPair(
      { connectionReceiveWindow: mebibyte },
      { streamHighWaterBytes: 65_536 },
    );
    const streams = Array.from({ length: 20 }, () => client.openUni());
    let taken = 0;
    for (const stream of streams) taken += await fill(stream, pattern(16_384), 4 * mebibyte);
    // 20 queues of 64 KiB and the one window; nobody has accepted a stream yet.
    expect(taken).toBeLessThan(4 * mebibyte);
    for (const stream of streams) stream.finish();
    const reading: Promise<Uint8Array>[] = [];
    for (let i = 0; i < streams.length; i++) reading.push(readAll((await server.acceptUni())!));
    const lengths = (await Promise.all(reading)).map((all) => all.length);
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(taken);
    await close();
  });

  it('a reset ends a blocked write, and a pending writable()', async () => {
    const { client, server, close } = await quicPair();
    const stream = client.openUni();
    stream.write(pattern(1000));
    const receive = (await server.acceptUni())!;
    await fill(stream, pattern(64 * 1024), 64 * mebibyte);
    const writable = stream.writable();
    stream.reset(99);
    await writable;
    expect(stream.queuedBytes).toBe(0);
    expect(stream.write(pattern(1))).toBe(false);
    await expect(readAll(receive)).rejects.toMatchObject({ code: 'STREAM_RESET', resetCode: 99 });
    await close();
  });

  it('a stop of the peer ends a blocked write', async () => {
    const { client, server, close } = await quicPair();
    const stream = client.openUni();
    stream.write(pattern(1000));
    const receive = (await server.acceptUni())!;
    await fill(stream, pattern(64 * 1024), 64 * mebibyte);
    const writable = stream.writable();
    receive.stop(7);
    expect(await receive.read()).toBeNull();
    expect(await stream.stopped).toBe(7);
    await writable;
    expect(stream.write(pattern(1))).toBe(false);
    await close();
  });

  it('a finished stream can still be reset while its bytes wait', async () => {
    const { client, server, close } = await quicPair({ streamReceiveWindow: 64 * 1024 });
    const stream = client.openUni();
    stream.write(pattern(mebibyte));
    stream.finish();
    expect(stream.queuedBytes).toBeGreaterThan(0);
    const receive = (await server.acceptUni())!;
    stream.reset(3);
    await expect(readAll(receive)).rejects.toMatchObject({ resetCode: 3 });
    await close();
  });

  it('streams beyond the credit of the peer wait, in order, and can be given up', async () => {
    const { client, server, close } = await quicPair({ maxIncomingUni: 2, maxIncomingBidi: 1 });
    const streams = Array.from({ length: 6 }, () => client.openUni());
    const bidis = [client.openBidi(), client.openBidi()];
    for (const [i, stream] of streams.entries()) {
      stream.write(pattern(100, i));
      stream.finish();
    }
    for (const [i, { send }] of bidis.entries()) {
      send.write(pattern(50, i));
      send.finish();
    }
    expect(streams[5]!.queuedBytes).toBe(100);
    streams[3]!.reset(1);
    for (const i of [0, 1, 2, 4, 5]) expect(await readAll((await server.acceptUni())!)).toEqual(pattern(100, i));
    for (const i of [0, 1]) {
      const theirs = (await server.acceptBidi())!;
      expect(await readAll(theirs.receive)).toEqual(pattern(50, i));
      theirs.send.write(pattern(60, i));
      theirs.send.finish();
      expect(await readAll(bidis[i]!.receive)).toEqual(pattern(60, i));
    }
    await close();
  });

  it('a peer that needs more streams than a viewer gets them', async () => {
    const { client, server, close } = await quicPair();
    for (let i = 0; i < 40; i++) {
      client.openUni().write(pattern(10, i));
      client.openBidi().send.write(pattern(10, i));
    }
    // None of them ends.
    for (let i = 0; i < 40; i++) {
      expect(await (await server.acceptUni())!.read()).toEqual(pattern(10, i));
      expect(await (await server.acceptBidi())!.receive.read()).toEqual(pattern(10, i));
    }
    await close();
  });

  it('10,000 short streams leave nothing behind', { timeout: 60_000 }, async () => {
    const native = sharedSocket().native;
    await until('earlier connections are gone', () => native.counters().connections === 0);
    const { client, server, close } = await quicPair();
    const total = 10_000;
    let bytes = 0;
    const count = async (receive: ReceiveStream) => {
      const { length } = await readAll(receive);
      bytes += length;
    };
    const reading = (async () => {
      const open: Promise<void>[] = [];
      for (let i = 0; i < total; i++) {
        const receive = (await server.acceptUni())!;
        open.push(count(receive));
      }
      await Promise.all(open);
    })();
    for (let i = 0; i < total; i++) {
      const stream = client.openUni();
      expect(stream.write(pattern(100, i))).toBe(true);
      stream.finish();
    }
    await reading;
    expect(bytes).toBe(total * 100);
    await until('all is acknowledged', () => native.counters().sends === 0 && native.counters().receives === 0);
    expect(sharedSocket().sends.size + sharedSocket().receives.size).toBe(0);
    await close();
    await until('closed', () => native.counters().connections === 0);
    expect(native.counters()).toEqual({ servers: 0, connections: 0, sends: 0, receives: 0 });
  });

  it('closing with streams open leaves nothing behind', async () => {
    const native = sharedSocket().native;
    // Behind so many bytes the one packet that says so may be lost.
    const { client, server, close } = await quicPair({ idleTimeoutMs: 2000 });
    for (let i = 0; i < 50; i++) {
      client.openUni().write(pattern(mebibyte / 8));
      server.openBidi().send.write(pattern(10));
    }
    await server.acceptUni();
    client.close({ code: 1, reason: '' });
    await Promise.all([client.closed, server.closed]);
    await close();
    await until('gone', () => Object.values(native.counters()).every((count) => count === 0));
    expect(sharedSocket().sends.size + sharedSocket().receives.size).toBe(0);
  });

  it('writes one payload to 50 streams over several connections, and reports the ones that refuse', async () => {
    const listener = await testListener();
    const clients = [];
    const servers = [];
    for (let i = 0; i < 5; i++) {
      const accepted = listener.accept();
      clients.push(await testConnect(listener.port));
      servers.push((await accepted)!);
    }
    const streams = servers.flatMap((server) => Array.from({ length: 10 }, () => server.openUni()));
    const gone = [3, 20, 49];
    for (const index of gone) streams[index]!.reset(5);
    const payload = pattern(8192);
    const refused: number[] = [];
    for (let round = 0; round < 20; round++) writeToMany(streams, payload, (index) => refused.push(index));
    expect(refused).toEqual(Array.from({ length: 20 }, () => gone).flat());
    for (const stream of streams) stream.finish();
    const expected = new Uint8Array(20 * 8192);
    for (let round = 0; round < 20; round++) expected.set(payload, round * 8192);
    let whole = 0;
    for (const client of clients) {
      for (let i = 0; i < 10; i++) {
        const receive = (await client.acceptUni())!;
        const got = await readAll(receive).catch(() => undefined);
        if (got === undefined) continue;
        expect(bytesEqual(got, expected)).toBe(true);
        whole++;
      }
    }
    expect(whole).toBe(47);
    for (const client of clients) client.close({ code: 0, reason: '' });
    await listener.close();
  });

  it('streams of high priority go first', async () => {
    const { client, server, close } = await quicPair({ streamReceiveWindow: 8 * mebibyte });
    const low = client.openUni({ priority: -5 });
    const high = client.openUni();
    high.setPriority(10);
    await writeAll(low, pattern(mebibyte));
    // Within one credit of the reader: whoever waits for credit lets others pass, whatever its priority.
    await writeAll(high, pattern(mebibyte / 32));
    low.finish();
    high.finish();
    const order: number[] = [];
    const streams = [(await server.acceptUni())!, (await server.acceptUni())!];
    await Promise.all(streams.map(async (stream) => void order.push((await readAll(stream)).length)));
    expect(order).toEqual([mebibyte / 32, mebibyte]);
    await close();
  });
});

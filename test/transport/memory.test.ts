import { describe, expect, it } from 'vitest';
import { memoryPair } from '../../src/transport/memory.ts';
import { pattern, readAll } from './streams.ts';
import { describeTransport } from './suite.ts';

describeTransport('memory', async () => {
  const { client, server } = memoryPair();
  return { client, server, close: async () => client.close({ code: 0, reason: '' }) };
});

describe('memory transport', () => {
  it('reports the protocol and path it was made with', () => {
    const { client, server } = memoryPair({ protocol: 'moqt-18', path: '/playback/lv_1' });
    expect([client.protocol, server.protocol]).toEqual(['moqt-18', 'moqt-18']);
    expect([client.path, server.path]).toEqual(['/playback/lv_1', '/playback/lv_1']);
  });

  it('holds at most its high-water mark and one write more', async () => {
    const { client, server } = memoryPair({ highWaterBytes: 100 });
    const stream = client.openUni();
    expect(stream.write(pattern(60))).toBe(true);
    expect(stream.write(pattern(60))).toBe(true);
    expect(stream.write(pattern(60))).toBe(false);
    expect(stream.queuedBytes).toBe(120);
    const reader = await server.acceptUni();
    let woken = false;
    const writable = stream.writable().then(() => {
      woken = true;
    });
    await Promise.resolve();
    expect(woken).toBe(false);
    await reader?.read();
    await writable;
    expect(stream.write(pattern(60))).toBe(true);
  });

  it('shows a stream with its first byte, and those opened before it', async () => {
    const { client, server } = memoryPair();
    const first = client.openUni();
    const second = client.openUni();
    second.write(pattern(3));
    const ids = [(await server.acceptUni())?.id, (await server.acceptUni())?.id];
    expect(ids).toEqual([first.id, second.id]);
  });

  it('loses what was not read when the connection is dropped', async () => {
    const { client, server, drop } = memoryPair();
    const stream = client.openUni();
    stream.write(pattern(10));
    stream.finish();
    const reader = await server.acceptUni();
    drop();
    expect((await client.closed).by).toBe('transport');
    expect((await server.closed).by).toBe('transport');
    await expect(reader?.read()).rejects.toMatchObject({ code: 'TRANSPORT_CLOSED' });
  });

  it('lets what was written before a close be read', async () => {
    const { client, server } = memoryPair();
    const whole = client.openUni();
    whole.write(pattern(10));
    whole.finish();
    const torn = client.openUni();
    torn.write(pattern(10));
    const [first, second] = [await server.acceptUni(), await server.acceptUni()];
    client.close({ code: 0, reason: '' });
    expect(await readAll(first!)).toEqual(pattern(10));
    expect(await second!.read()).toEqual(pattern(10));
    await expect(second!.read()).rejects.toMatchObject({ code: 'TRANSPORT_CLOSED' });
  });
});

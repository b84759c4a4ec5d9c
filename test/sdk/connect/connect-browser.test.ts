import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { browserConnector, webSocketUrl } from '../../../src/sdk/connect/connect-browser.ts';
import { firstToOpen } from '../../../src/sdk/connect/first-to-open.ts';
import { memoryPair } from '../../../src/transport/memory.ts';
import type { Transport } from '../../../src/transport/transport.ts';
import { qmuxServer } from '../../transport/qmux-pair.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

const never = (signal: AbortSignal) =>
  new Promise<Transport>((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
  });

const live = () => new AbortController().signal;

describe('browser connection', () => {
  it.each([
    ['there is no WebTransport', undefined],
    [
      'UDP does not come through',
      class {
        ready = new Promise(() => {});
        closed = new Promise(() => {});
        close() {}
      },
    ],
    [
      'WebTransport fails at once',
      class {
        ready = Promise.reject(new Error('no'));
        closed = new Promise(() => {});
        close() {}
      },
    ],
  ])('falls back to WebSocket when %s', async (_name, webTransport) => {
    vi.stubGlobal('WebTransport', webTransport);
    // Node 20 has no WebSocket of its own; that of ws has the same face.
    vi.stubGlobal('WebSocket', WebSocket);
    const server = await qmuxServer();
    const [client, accepted] = await Promise.all([
      browserConnector()(`https://127.0.0.1:${server.port}/playback/lv_1?tok=x`, { signal: live() }),
      server.accepted(),
    ]);
    expect(client.kind).toBe('qmux');
    expect(accepted.path).toBe('/playback/lv_1?tok=x');
    client.close({ code: 0, reason: '' });
    await server.close();
  });

  it('says what WebTransport said when neither works, or what WebSocket said where there is only that', async () => {
    vi.stubGlobal('WebSocket', WebSocket);
    const server = await qmuxServer();
    await server.close();
    const url = `https://127.0.0.1:${server.port}/?tok=secret`;
    const fails = () => browserConnector()(url, { signal: live() }).catch((error: Error) => error);
    vi.stubGlobal('WebTransport', undefined);
    expect(await fails()).toMatchObject({
      code: 'RELAY_UNREACHABLE',
      message: expect.stringContaining('by WebSocket'),
    });
    vi.stubGlobal('WebTransport', function refuse() {
      throw new Error('bad URL');
    });
    expect(await fails()).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.not.stringContaining('secret') });
  });

  it('never tries the fallback when the first opens in time, and aborts it when it opens late', async () => {
    let asked = 0;
    const { client } = memoryPair();
    const fallback = (signal: AbortSignal) => {
      asked++;
      return never(signal);
    };
    expect(await firstToOpen(async () => client, fallback, 60_000, live())).toBe(client);
    expect(asked).toBe(0);
    let open = (_transport: Transport) => {};
    const late = firstToOpen(() => new Promise((resolve) => (open = resolve)), fallback, 0, live());
    await expect.poll(() => asked).toBe(1);
    open(client);
    expect(await late).toBe(client);
  });

  it('closes the one that opens although the other has', async () => {
    const [slow, fast] = [memoryPair(), memoryPair()];
    let open = (_transport: Transport) => {};
    const first = firstToOpen(
      () => new Promise((resolve) => (open = resolve)),
      async () => fast.client,
      0,
      live(),
    );
    expect(await first).toBe(fast.client);
    open(slow.client);
    expect((await slow.server.closed).by).toBe('peer');
  });

  it('gives up when the caller does', async () => {
    const abort = new AbortController();
    const opening = firstToOpen(never, never, 0, abort.signal);
    abort.abort();
    await expect(opening).rejects.toThrow('aborted');
  });

  it('knows where a WebSocket is plain', () => {
    const page = { protocol: 'http:', hostname: '192.168.1.5' };
    expect(webSocketUrl('https://127.0.0.1:4443/a?b', undefined)).toBe('ws://127.0.0.1:4443/a?b');
    expect(webSocketUrl('https://[::1]:4443/', undefined)).toBe('ws://[::1]:4443/');
    expect(webSocketUrl('https://192.168.1.5:4443/', page)).toBe('ws://192.168.1.5:4443/');
    expect(webSocketUrl('https://relay.example/a', page)).toBe('wss://relay.example/a');
    expect(webSocketUrl('https://192.168.1.5:4443/', { ...page, protocol: 'https:' })).toBe('wss://192.168.1.5:4443/');
  });
});

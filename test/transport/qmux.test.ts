import { afterAll, expect, vi } from 'vitest';
import { WebSocket } from 'ws';
import { connectQmuxBrowser } from '../../src/transport/qmux/browser.ts';
import { qmuxPair, qmuxServer } from './qmux-pair.ts';
import { describeTransport } from './suite.ts';

describeTransport('qmux over WebSocket', async () => {
  const pair = await qmuxPair();
  expect([pair.client.protocol, pair.server.protocol]).toEqual(['moqt-18', 'moqt-18']);
  expect(pair.server.path).toBe('/publish/lv_1?sk=x');
  expect(pair.server.remoteAddress).toMatch(/^127\.0\.0\.1:\d+$/);
  return pair;
});

// Node 20 has no WebSocket of its own; that of ws has the same face.
vi.stubGlobal('WebSocket', WebSocket);
afterAll(() => {
  vi.unstubAllGlobals();
});

describeTransport('qmux over the platform’s WebSocket', async () => {
  const listening = await qmuxServer();
  const [client, server] = await Promise.all([
    connectQmuxBrowser({ url: `${listening.url}/`, versions: ['moqt-18'] }),
    listening.accepted(),
  ]);
  return {
    client,
    server,
    close: async () => {
      client.close({ code: 0, reason: '' });
      await listening.close();
    },
  };
});

import { describe, expect, it } from 'vitest';
import { BroadcastPublisher } from '../../src/sdk/publisher/broadcast-publisher.ts';
import { BroadcastViewer } from '../../src/sdk/viewer/broadcast-viewer.ts';
import type { ConnectTransport } from '../../src/sdk/viewer/viewer-types.ts';
import { establish } from '../../src/session/establish.ts';
import { type MemoryPair, memoryPair } from '../../src/transport/memory.ts';
import { url } from './publisher/publisher.ts';

const kinds = {
  viewer: (connect: ConnectTransport) => new BroadcastViewer({ url, connect }),
  publisher: (connect: ConnectTransport) =>
    new BroadcastPublisher({ url: 'https://relay.test/publish/lv_1?sk=secret', connect }),
};

/** A relay in memory, which answers SETUP, or never does. */
function relay(answers: boolean): MemoryPair {
  const pair = memoryPair({ protocol: 'moqt-18', path: '/' });
  const handlers = { publishNamespace: (announced: { accept(): void }) => announced.accept() };
  if (answers) establish(pair.server, { role: 'server', handlers }).catch(() => {});
  return pair;
}

/** Turns of the queue of promises. */
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await Promise.resolve();
}

describe.each(Object.entries(kinds))('a %s that is closed early', (_, open) => {
  it('leaves no connection behind, at whatever moment of connecting and SETUP it is closed', async () => {
    for (let moment = 0; moment < 120; moment++) {
      const pair = relay(true);
      let connected = false;
      const opened = open(async () => {
        connected = true;
        return pair.client;
      });
      await turns(moment);
      await opened.close();
      expect(await opened.ended).toMatchObject({ reason: 'closed_by_caller' });
      if (connected) expect(await pair.server.closed, `moment ${moment}`).toMatchObject({ by: 'peer', code: 0 });
    }
  });

  it('waits for no SETUP that never comes', async () => {
    const pair = relay(false);
    let connected = () => {};
    const asked = new Promise<void>((resolve) => {
      connected = resolve;
    });
    const opened = open(async () => {
      connected();
      return pair.client;
    });
    await asked;
    await turns(20);
    const from = performance.now();
    await opened.close();
    // The deadline of SETUP is 10 s.
    expect(performance.now() - from).toBeLessThan(5000);
    expect(await pair.server.closed).toMatchObject({ by: 'peer', code: 0 });
  });
});

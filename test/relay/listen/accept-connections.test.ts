import { afterEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/core/log.ts';
import { defaultLimits, type RelayLimits } from '../../../src/relay/limits.ts';
import { acceptConnections } from '../../../src/relay/listen/accept-connections.ts';
import type { RelayCore } from '../../../src/relay/relay.ts';
import { establish } from '../../../src/session/establish.ts';
import type { Session } from '../../../src/session/types.ts';
import { AcceptQueue } from '../../../src/transport/accept-queue.ts';
import { memoryPair } from '../../../src/transport/memory.ts';
import type { Listener, Transport } from '../../../src/transport/transport.ts';
import { connectWebTransport } from '../../../src/transport/webtransport/connect.ts';
import { nextGroup, TestPublisher, testRelay, track } from '../harness.ts';

let relay: RelayCore;
let queue: AcceptQueue<Transport>;
let accepting: Promise<void>;

function start(change: Partial<RelayLimits> = {}): void {
  const limits = { ...defaultLimits, ...change };
  relay = testRelay(limits);
  queue = new AcceptQueue();
  const listener: Listener = { port: 0, accept: () => queue.next(), close: async () => void queue.close() };
  accepting = acceptConnections(listener, { core: relay, versions: ['moqt-18'], limits, logger: silentLogger });
}

afterEach(async () => {
  queue.close();
  await relay.close();
  await accepting;
});

function dial(protocol: string): Transport {
  const pair = memoryPair({ protocol, path: protocol === 'h3' ? '' : '/playback/lv_one' });
  queue.push(pair.server);
  return pair.client;
}

async function webTransport(protocols = ['moqt-18']): Promise<Session> {
  const transport = await connectWebTransport(dial('h3'), {
    authority: 'localhost:4443',
    path: '/playback/lv_one?tok=x',
    protocols,
  });
  return establish(transport, { role: 'client' });
}

describe('accepting', () => {
  it('serves WebTransport and raw MoQT alike', async () => {
    start();
    const publisher = await TestPublisher.start(relay);
    const viewers = [await webTransport(), await establish(dial('moqt-18'), { role: 'client' })];
    const subscriptions = await Promise.all(viewers.map((viewer) => viewer.subscribe(track)));
    publisher.group(1, [10, 20_000]);
    for (const subscription of subscriptions) {
      expect(await nextGroup(subscription)).toMatchObject({ group: 1, ids: [0, 1], end: 'fin' });
    }
  });

  it('takes the version both speak and refuses a client without one', async () => {
    start();
    expect((await webTransport(['moqt-99', 'moqt-18'])).version).toBe('moqt-18');
    await expect(webTransport(['moqt-99'])).rejects.toThrow(/moqt-18/);
  });

  it('closes garbage alone', async () => {
    start();
    const viewer = await webTransport();
    const garbage = dial('h3');
    const stream = garbage.openBidi();
    stream.send.write(new Uint8Array(200).fill(0xff));
    stream.send.finish();
    garbage.openUni().write(Uint8Array.of(0, 0x0f, 0xff, 0xff));
    expect(await garbage.closed).toMatchObject({ by: 'peer' });
    await expect(viewer.subscribe(track)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('bounds how fast one address connects', async () => {
    start({ connectBurst: 2, connectsPerSecond: 0.001 });
    await webTransport();
    await webTransport();
    expect(await dial('h3').closed).toMatchObject({ by: 'peer', reason: 'too many connections' });
  });
});

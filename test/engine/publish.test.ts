import { expect, it, onTestFinished, vi } from 'vitest';
import { type Logger, silentLogger } from '../../src/core/log.ts';
import { Broadcast } from '../../src/engine/broadcast.ts';
import { RelayPublisher } from '../../src/engine/publish.ts';
import { establish } from '../../src/session/establish.ts';
import type { Session } from '../../src/session/types.ts';
import { memoryPair } from '../../src/transport/memory.ts';
import { capturingLogger } from '../control/helpers.ts';

const namespace = ['stream', 'org_local', 'lv_1'];

/** A publisher whose relays are `relays`, in the order in which it connects to them. */
function publishing(broadcast = new Broadcast(0), logger: Logger = silentLogger) {
  const relays: { url: string; session: Session; path: string }[] = [];
  const publisher = new RelayPublisher({
    broadcast,
    inputId: 'lv_1',
    streamKey: 'sk',
    namespace,
    relayUrl: 'moqt://relay.test:4443',
    logger,
    retryMs: { first: 5, longest: 5 },
    connect: async (url) => {
      const pair = memoryPair({ protocol: 'moqt-18' });
      onTestFinished(() => pair.drop());
      const handlers = { publishNamespace: (announced: { accept(): void }) => announced.accept() };
      void establish(pair.server, { role: 'server', handlers }).then((session) =>
        relays.push({ url, session, path: session.peer.path }),
      );
      return pair.client;
    },
  });
  onTestFinished(() => publisher.close());
  const connected = (count: number) =>
    vi.waitFor(() => {
      expect(relays).toHaveLength(count);
      expect(publisher.connected).toBe(true);
    });
  return { relays, publisher, connected };
}

it('goes where the relay sends it, and stays at the old one as long as that allows', async () => {
  const { relays, connected } = publishing();
  await connected(1);
  relays[0]!.session.sendGoaway({ uri: 'moqt://other.test:5555/publish/lv_1?sk=sk', timeoutMs: 60 });
  await vi.waitFor(() => expect(relays).toHaveLength(2));
  await connected(2);
  expect(relays.map(({ url }) => url)).toEqual(['moqt://relay.test:4443', 'moqt://other.test:5555']);
  expect(relays[1]!.path).toBe('/publish/lv_1?sk=sk');
  let ended = false;
  void relays[0]!.session.closed.then(() => {
    ended = true;
  });
  expect(ended).toBe(false);
  expect(await relays[0]!.session.closed).toMatchObject({ by: 'peer', code: 0, reason: 'moved as asked' });
});

it('leaves at once when it is to come back, and does', async () => {
  const { relays, connected } = publishing();
  await connected(1);
  relays[0]!.session.sendGoaway({ timeoutMs: 60_000 });
  expect(await relays[0]!.session.closed).toMatchObject({ by: 'peer', code: 0 });
  await connected(2);
  expect(relays[1]!.url).toBe('moqt://relay.test:4443');
});

it('ends the session that an unexpected error was thrown for, says so with its stack, and connects again', async () => {
  const log = capturingLogger();
  const broadcast = new Broadcast(0);
  broadcast.find = () => {
    throw new TypeError('boom');
  };
  const { relays, connected } = publishing(broadcast, log);
  await connected(1);
  relays[0]!.session.subscribe({ namespace, name: 'video' }).catch(() => {});
  expect(await relays[0]!.session.closed).toMatchObject({ by: 'peer', code: 0x1 });
  expect(log.lines.filter((line) => /^error .*boom.*publish\.test/.test(line))).toHaveLength(1);
  await connected(2);
});

it('waits longer each time for a relay that takes it and lets it go at once', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const at: number[] = [];
  const publisher = new RelayPublisher({
    broadcast: new Broadcast(0),
    inputId: 'lv_1',
    streamKey: 'sk',
    namespace,
    relayUrl: 'moqt://relay.test:4443',
    logger: silentLogger,
    retryMs: { first: 100, longest: 1000 },
    connect: async () => {
      at.push(performance.now());
      const pair = memoryPair({ protocol: 'moqt-18' });
      const handlers = {
        publishNamespace(announced: { accept(): void }) {
          announced.accept();
          setTimeout(() => pair.drop(), 1);
        },
      };
      void establish(pair.server, { role: 'server', handlers });
      return pair.client;
    },
  });
  await vi.advanceTimersByTimeAsync(4000);
  const closing = publisher.close();
  await vi.advanceTimersByTimeAsync(1000);
  await closing;
  const waits = at.slice(1, 6).map((time, i) => Math.round((time - at[i]!) / 100) * 100);
  expect(waits).toEqual([100, 200, 400, 800, 1000]);
});

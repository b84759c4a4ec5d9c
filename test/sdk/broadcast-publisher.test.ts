import { afterEach, describe, expect, it, vi } from 'vitest';
import { StreamsError } from '../../src/core/errors.ts';
import { BroadcastPublisher } from '../../src/sdk/publisher/broadcast-publisher.ts';
import type { PublisherOptions, PublisherState } from '../../src/sdk/publisher/publisher-types.ts';
import { establish } from '../../src/session/establish.ts';
import type { Session } from '../../src/session/types.ts';
import { type MemoryPair, memoryPair } from '../../src/transport/memory.ts';

afterEach(() => void vi.useRealTimers());

function publish(options: Pick<PublisherOptions, 'connect'> & Partial<PublisherOptions>) {
  const states: PublisherState[] = [];
  const publisher = new BroadcastPublisher({
    url: 'https://relay.test:4443/publish/lv_1?sk=secret',
    onState: (state) => states.push(state),
    ...options,
  });
  const attempts = () => states.flatMap((state) => (state.name === 'reconnecting' ? [state.attempt] : []));
  return { publisher, states, attempts };
}

describe('BroadcastPublisher', () => {
  it('counts dials that nobody answers as attempts, however long each takes', async () => {
    vi.useFakeTimers();
    const { publisher, states, attempts } = publish({ connect: () => new Promise(() => {}), maxAttempts: 4 });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await publisher.ended).toMatchObject({ reason: 'network', error: { code: 'RELAY_UNREACHABLE' } });
    expect(attempts()).toEqual([1, 2, 3]);
    expect(states.at(-1)?.name).toBe('ended');
  });

  it('begins anew with its attempts after a session that lasted, and not after a short one', async () => {
    vi.useFakeTimers();
    const pairs: MemoryPair[] = [];
    const sessions: Session[] = [];
    const { publisher, attempts } = publish({
      connect: async () => {
        if (pairs.length > 2) throw new StreamsError('RELAY_UNREACHABLE', 'no relay');
        const pair = memoryPair({ protocol: 'moqt-18' });
        pairs.push(pair);
        const handlers = { publishNamespace: (announced: { accept(): void }) => announced.accept() };
        void establish(pair.server, { role: 'server', handlers }).then((session) => sessions.push(session));
        return pair.client;
      },
    });
    for (const lastedMs of [500, 500, 11_000]) {
      const count = sessions.length + 1;
      while (sessions.length < count) await vi.advanceTimersByTimeAsync(100);
      await vi.advanceTimersByTimeAsync(lastedMs);
      pairs.at(-1)!.drop();
    }
    await vi.advanceTimersByTimeAsync(10);
    expect(attempts()).toEqual([1, 2, 1]);
    await vi.advanceTimersByTimeAsync(600);
    expect(attempts().at(3)).toBe(2);
    await publisher.close();
  });

  it('tells onFault, and without it reportError, of an error that nobody expected, and connects again', async () => {
    const boom = new TypeError('boom');
    const reported: unknown[] = [];
    vi.stubGlobal('reportError', (error: unknown) => void reported.push(error));
    for (const onFault of [(error: unknown) => void reported.push(error), undefined]) {
      let connects = 0;
      const { publisher } = publish({
        ...(onFault !== undefined && { onFault }),
        connect: async () => {
          connects++;
          const pair = memoryPair({ protocol: 'moqt-18' });
          const handlers = { publishNamespace: (announced: { accept(): void }) => announced.accept() };
          const served = establish(pair.server, { role: 'server', handlers });
          if (connects === 1) {
            const acceptBidi = pair.client.acceptBidi.bind(pair.client);
            pair.client.acceptBidi = async () => {
              const stream = await acceptBidi();
              if (stream !== null) {
                stream.send.write = () => {
                  throw boom;
                };
              }
              return stream;
            };
            void served.then((session) => session.subscribe({ namespace: ['lv_1'], name: 'none' }).catch(() => {}));
          }
          return pair.client;
        },
      });
      await vi.waitFor(() => expect(connects).toBe(2), { timeout: 5000 });
      await publisher.close();
    }
    vi.unstubAllGlobals();
    expect(reported).toEqual([boom, boom]);
  });
});

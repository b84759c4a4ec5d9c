import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { watchSilence } from '../../src/engine/watch-silence.ts';
import type { Transport } from '../../src/transport/transport.ts';

describe('watchSilence', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function watched(kind: Transport['kind'] = 'quic') {
    const counters = { rttMs: 1, cwnd: 1, bytesSent: 0, bytesReceived: 0, packetsLost: 0 };
    const closes: string[] = [];
    const transport = {
      kind,
      closed: new Promise(() => {}),
      stats: () => ({ ...counters }),
      close: ({ reason }: { reason: string }) => closes.push(reason),
    } as unknown as Transport;
    watchSilence(transport);
    const pass = (ms: number, step: () => void) => {
      for (let at = 0; at < ms; at += 250) {
        step();
        vi.advanceTimersByTime(250);
      }
    };
    return { counters, closes, pass };
  }

  it('closes when what is sent is not acknowledged for two seconds', () => {
    const { counters, closes, pass } = watched();
    pass(1750, () => {
      counters.bytesSent += 5000;
    });
    expect(closes).toEqual([]);
    pass(500, () => {
      counters.bytesSent += 5000;
    });
    expect(closes).toEqual(['the relay does not answer']);
  });

  it('leaves a peer alone that answers, one that is sent nothing, and a transport that hides acknowledgements', () => {
    const busy = watched();
    busy.pass(10_000, () => {
      busy.counters.bytesSent += 1000;
      busy.counters.bytesReceived += 10;
    });
    const idle = watched();
    idle.counters.bytesReceived += 1000;
    idle.pass(250, () => {});
    idle.counters.bytesSent += 300;
    idle.pass(10_000, () => {});
    const memory = watched('memory');
    memory.pass(10_000, () => {
      memory.counters.bytesSent += 5000;
    });
    expect([...busy.closes, ...idle.closes, ...memory.closes]).toEqual([]);
  });
});

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { watchLink } from '../../../src/relay/cluster/watch-link.ts';
import type { Transport } from '../../../src/transport/transport.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function watched(kind: Transport['kind'] = 'webtransport') {
  const counters = { rttMs: 1, cwnd: 1, bytesSent: 0, bytesReceived: 0, packetsLost: 0 };
  const closes: string[] = [];
  watchLink({
    kind,
    closed: new Promise(() => {}),
    stats: () => ({ ...counters }),
    close: ({ reason }: { reason: string }) => closes.push(reason),
  } as unknown as Transport);
  const pass = (ms: number, step = (): void => {}): void => {
    for (let at = 0; at < ms; at += 500) {
      step();
      vi.advanceTimersByTime(500);
    }
  };
  const send = (): void => {
    counters.bytesSent += 40;
  };
  const hear = (): void => {
    counters.bytesReceived += 40;
  };
  return { closes, pass, send, hear };
}

it('gives up a relay that acknowledges nothing for three seconds', () => {
  const { closes, pass, send } = watched();
  pass(3000, send);
  expect(closes).toEqual([]);
  pass(1000, send);
  expect(closes).toEqual(['the relay does not answer']);
});

it('gives up one that was quiet after the question whether it is still there, repeated once', () => {
  const { closes, pass, send, hear } = watched();
  pass(500, hear);
  send();
  pass(4000);
  send();
  pass(2500);
  expect(closes).toEqual([]);
  send();
  pass(1000);
  expect(closes).toEqual(['the relay does not answer']);
});

it('keeps one that answers, one that is quiet and was asked nothing, and one on a transport that hides acknowledgements', () => {
  const busy = watched();
  busy.pass(20_000, () => {
    busy.send();
    busy.hear();
  });
  const quiet = watched('quic');
  quiet.pass(500, quiet.hear);
  quiet.send();
  quiet.pass(20_000);
  const hidden = watched('qmux');
  hidden.pass(20_000, hidden.send);
  expect([...busy.closes, ...quiet.closes, ...hidden.closes]).toEqual([]);
});
